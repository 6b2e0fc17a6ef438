// JPEG decoding and encoding through libjpeg(-turbo), every longjmp kept inside one function.
// clang-format off
#include <stdio.h>  // jpeglib.h needs FILE
#include <jpeglib.h>
#include <jerror.h>
// clang-format on
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "PictureCodecs.h"
#include "exif.h"

// A file may ask for any number of passes over the whole picture; real ones have about ten.
enum { largest_scan_count = 200 };

typedef struct {
  struct jpeg_error_mgr errors;  // first, so that cinfo->err can be cast back
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  PictureStatus status;
  char message[240];
} Handler;

static void fail(Handler *handler, PictureStatus status, const char *format, ...) {
  if (handler->status == PictureStatusOK) {
    va_list arguments;
    va_start(arguments, format);
    handler->status = status;
    vsnprintf(handler->message, sizeof handler->message, format, arguments);
    va_end(arguments);
  }
  longjmp(handler->escape, 1);
}

static void library_message(j_common_ptr codec, char text[JMSG_LENGTH_MAX]) {
  codec->err->format_message(codec, text);
}

static void on_error(j_common_ptr codec) {
  char text[JMSG_LENGTH_MAX];
  library_message(codec, text);
  PictureStatus status = PictureStatusDamaged;
  switch (codec->err->msg_code) {
    case JERR_OUT_OF_MEMORY: status = PictureStatusOutOfMemory; break;
    case JERR_INPUT_EOF: case JERR_INPUT_EMPTY: status = PictureStatusTruncated; break;
    case JERR_BAD_PRECISION: case JERR_SOF_UNSUPPORTED: case JERR_NOT_COMPILED:
    case JERR_ARITH_NOTIMPL: case JERR_CONVERSION_NOTIMPL: case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL: status = PictureStatusUnsupported; break;
    case JERR_IMAGE_TOO_BIG: status = PictureStatusTooLarge; break;
    default: break;
  }
  fail((Handler *)codec->err, status, "%s", text);
}

// Where libjpeg would patch over missing data with grey, the file is refused instead.
static void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  char text[JMSG_LENGTH_MAX];
  library_message(codec, text);
  switch (codec->err->msg_code) {
    case JWRN_JPEG_EOF:
      fail((Handler *)codec->err, PictureStatusTruncated, "%s", text);
      break;
    case JWRN_HIT_MARKER: case JWRN_HUFF_BAD_CODE: case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION: case JWRN_MUST_RESYNC:
      fail((Handler *)codec->err, PictureStatusDamaged, "%s", text);
      break;
    default:  // stray bytes between markers and the like do no harm
      break;
  }
}

static void no_output(j_common_ptr codec) { (void)codec; }

static void on_progress(j_common_ptr codec) {
  if (codec->is_decompressor &&
      ((j_decompress_ptr)codec)->input_scan_number > largest_scan_count) {
    fail((Handler *)codec->err, PictureStatusDamaged, "more than %d scans", largest_scan_count);
  }
}

static void install(Handler *handler, struct jpeg_error_mgr **errors) {
  memset(handler, 0, sizeof *handler);
  *errors = jpeg_std_error(&handler->errors);
  handler->errors.error_exit = on_error;
  handler->errors.emit_message = on_message;
  handler->errors.output_message = no_output;
  handler->progress.progress_monitor = on_progress;
}

static void check_size(Handler *handler, size_t width, size_t height, size_t bytes,
                       size_t largest_pixel_count) {
  if (width > largest_pixel_count / height) {
    fail(handler, PictureStatusTooLarge, "%zu × %zu pixels", width, height);
  }
  // Every 8 × 8 block takes at least one bit; chroma may be coarser, luma is not.
  if ((width / 8) * (height / 8) / 8 > bytes) {
    fail(handler, PictureStatusTruncated, "%zu bytes cannot hold the %zu × %zu pixels promised",
         bytes, width, height);
  }
}

static void read_orientation(struct jpeg_decompress_struct *codec, PictureDecoding *result) {
  for (jpeg_saved_marker_ptr marker = codec->marker_list; marker != NULL; marker = marker->next) {
    if (marker->marker == JPEG_APP0 + 1 && marker->data_length >= 6 &&
        memcmp(marker->data, "Exif\0\0", 6) == 0) {
      result->orientation = exif_orientation(marker->data, marker->data_length);
      return;
    }
  }
}

// CMYK is stored inverted, as Adobe does it and as every reader assumes: 255 is no ink.
static void convert_row(const uint8_t *row, uint8_t *rgb, size_t width, int channels) {
  for (size_t x = 0; x < width; x++, row += channels) {
    for (int c = 0; c < 3; c++) {
      unsigned value = row[channels >= 3 ? c : 0];
      // (255 − C)(255 − K) / 255 of the inks, which is v·k / 255 of what is stored.
      *rgb++ = (uint8_t)(channels == 4 ? (value * row[3] + 127u) / 255u : value);
    }
  }
}

static void read_jpeg(Handler *handler, struct jpeg_decompress_struct *codec, const uint8_t *bytes,
                      size_t count, size_t largest_pixel_count, PictureDecoding *result) {
  if (setjmp(handler->escape)) return;
  jpeg_create_decompress(codec);
  codec->progress = &handler->progress;
  jpeg_mem_src(codec, bytes, (unsigned long)count);
  jpeg_save_markers(codec, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(codec, TRUE);
  result->width = codec->image_width;
  result->height = codec->image_height;
  check_size(handler, result->width, result->height, count, largest_pixel_count);
  read_orientation(codec, result);

  switch (codec->num_components) {
    case 1: codec->out_color_space = JCS_GRAYSCALE; break;
    case 3: codec->out_color_space = JCS_RGB; break;
    case 4: codec->out_color_space = JCS_CMYK; break;
    default:
      fail(handler, PictureStatusUnsupported, "%d colour channels", codec->num_components);
  }
  codec->dct_method = JDCT_ISLOW;  // the integer transform that gives the same values everywhere
  jpeg_start_decompress(codec);
  size_t channels = (size_t)codec->output_components;
  JSAMPARRAY row = codec->mem->alloc_sarray((j_common_ptr)codec, JPOOL_IMAGE,
                                            (JDIMENSION)(result->width * channels), 1);
  result->pixels = malloc(result->width * result->height * 3);
  if (result->pixels == NULL) {
    fail(handler, PictureStatusOutOfMemory, "no memory for %zu × %zu pixels", result->width,
         result->height);
  }
  while (codec->output_scanline < codec->output_height) {
    uint8_t *rgb = result->pixels + (size_t)codec->output_scanline * result->width * 3;
    if (jpeg_read_scanlines(codec, row, 1) != 1) {
      fail(handler, PictureStatusTruncated, "the data ends early");
    }
    convert_row(row[0], rgb, result->width, (int)channels);
  }
  jpeg_finish_decompress(codec);
}

void picture_decode_jpeg(const uint8_t *bytes, size_t count, size_t largest_pixel_count,
                         PictureDecoding *result) {
  memset(result, 0, sizeof *result);
  result->orientation = 1;
  Handler handler;
  struct jpeg_decompress_struct codec;
  memset(&codec, 0, sizeof codec);
  install(&handler, &codec.err);
  read_jpeg(&handler, &codec, bytes, count, largest_pixel_count, result);
  jpeg_destroy_decompress(&codec);
  result->status = handler.status;
  memcpy(result->message, handler.message, sizeof result->message);
  if (result->status != PictureStatusOK) {
    free(result->pixels);
    result->pixels = NULL;
  }
}

typedef struct {
  unsigned char *bytes;
  unsigned long count;
} Output;

static void write_jpeg(Handler *handler, struct jpeg_compress_struct *codec, const uint8_t *pixels,
                       size_t width, size_t height, int quality, Output *output) {
  if (setjmp(handler->escape)) return;
  jpeg_create_compress(codec);
  jpeg_mem_dest(codec, &output->bytes, &output->count);
  codec->image_width = (JDIMENSION)width;
  codec->image_height = (JDIMENSION)height;
  codec->input_components = 3;
  codec->in_color_space = JCS_RGB;
  jpeg_set_defaults(codec);
  jpeg_set_quality(codec, quality, TRUE);
  codec->dct_method = JDCT_ISLOW;
  codec->optimize_coding = TRUE;
  codec->comp_info[0].h_samp_factor = codec->comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(codec, TRUE);
  while (codec->next_scanline < codec->image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)codec->next_scanline * width * 3);
    jpeg_write_scanlines(codec, &row, 1);
  }
  jpeg_finish_compress(codec);
}

PictureStatus picture_encode_jpeg(const uint8_t *pixels, size_t width, size_t height, int quality,
                                  uint8_t **encoded, size_t *encoded_count) {
  Handler handler;
  struct jpeg_compress_struct codec;
  memset(&codec, 0, sizeof codec);
  install(&handler, &codec.err);
  Output output = {NULL, 0};
  if (width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION) {
    handler.status = PictureStatusTooLarge;
  } else {
    write_jpeg(&handler, &codec, pixels, width, height, quality, &output);
    jpeg_destroy_compress(&codec);
  }
  if (handler.status != PictureStatusOK) free(output.bytes), output.bytes = NULL;
  *encoded = output.bytes;
  *encoded_count = output.bytes == NULL ? 0 : output.count;
  return handler.status;
}
