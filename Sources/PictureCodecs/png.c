// PNG decoding through libpng, every longjmp kept inside `read_png`.
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "PictureCodecs.h"
#include "exif.h"

typedef struct {
  const uint8_t *bytes;
  size_t count, position, largest_pixel_count;
  png_structp png;
  png_infop info;
  uint8_t *rows;        // decoded rows in the file's own channels: one row, or all when interlaced
  png_bytep *row_list;  // for interlaced pictures
  PictureDecoding *result;
} Reader;

static void fail(Reader *reader, PictureStatus status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  reader->result->status = status;
  vsnprintf(reader->result->message, sizeof reader->result->message, format, arguments);
  va_end(arguments);
}

static void stop(Reader *reader) { longjmp(png_jmpbuf(reader->png), 1); }

static void on_error(png_structp png, png_const_charp text) {
  Reader *reader = png_get_error_ptr(png);
  if (reader->result->status == PictureStatusOK) {
    fail(reader, PictureStatusDamaged, "%s", text);
  }
  longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png, (void)text;  // libpng warns about chunks that it can do without
}

static void take_bytes(png_structp png, png_bytep destination, size_t wanted) {
  Reader *reader = png_get_io_ptr(png);
  if (reader->count - reader->position < wanted) {
    fail(reader, PictureStatusTruncated, "the data ends after %zu bytes", reader->count);
    stop(reader);
  }
  memcpy(destination, reader->bytes + reader->position, wanted);
  reader->position += wanted;
}

static unsigned over_white(unsigned value, unsigned alpha, unsigned largest) {
  uint64_t sum = (uint64_t)value * alpha + (uint64_t)largest * (largest - alpha);
  return (unsigned)((sum + largest / 2) / largest);
}

// One row of 1...4 channels of 8 or 16 bits to RGB.
static void convert_row(const uint8_t *row, uint8_t *rgb, size_t width, int channels, int depth) {
  int colours = channels >= 3 ? 3 : 1, has_alpha = channels == 2 || channels == 4;
  unsigned largest = depth == 16 ? 65535 : 255;
  size_t sample_bytes = depth == 16 ? 2 : 1;
  for (size_t x = 0; x < width; x++) {
    unsigned sample[4];
    for (int c = 0; c < channels; c++, row += sample_bytes) {
      sample[c] = depth == 16 ? (unsigned)row[0] << 8 | row[1] : row[0];
    }
    for (int c = 0; c < 3; c++) {
      unsigned value = sample[colours == 3 ? c : 0];
      if (has_alpha) value = over_white(value, sample[channels - 1], largest);
      *rgb++ = (uint8_t)(depth == 16 ? (value * 255u + 32767u) / 65535u : value);
    }
  }
}

typedef struct {
  uint8_t rgb[256][3];
  int count;
} Palette;

// The palette with its transparency already laid over white.
static void read_palette(Reader *reader, Palette *palette) {
  png_colorp colours = NULL;
  png_bytep alpha = NULL;
  int count = 0, alpha_count = 0;
  if (!png_get_PLTE(reader->png, reader->info, &colours, &count) || count <= 0) {
    fail(reader, PictureStatusDamaged, "the palette is missing");
    stop(reader);
  }
  png_get_tRNS(reader->png, reader->info, &alpha, &alpha_count, NULL);
  palette->count = count;
  for (int i = 0; i < count; i++) {
    const uint8_t colour[3] = {colours[i].red, colours[i].green, colours[i].blue};
    for (int c = 0; c < 3; c++) {
      unsigned a = alpha != NULL && i < alpha_count ? alpha[i] : 255;
      palette->rgb[i][c] = (uint8_t)over_white(colour[c], a, 255);
    }
  }
}

static void look_up_row(Reader *reader, const uint8_t *row, uint8_t *rgb, size_t width,
                        const Palette *palette) {
  for (size_t x = 0; x < width; x++, rgb += 3) {
    if (row[x] >= palette->count) {
      fail(reader, PictureStatusDamaged, "a pixel has colour %d of a palette of %d", row[x],
           palette->count);
      stop(reader);
    }
    memcpy(rgb, palette->rgb[row[x]], 3);
  }
}

// Refuses sizes that are too large, or that so few bytes cannot hold, before anything is allocated.
static void check_size(Reader *reader, size_t bits_per_pixel) {
  size_t width = reader->result->width, height = reader->result->height;
  if (width > reader->largest_pixel_count / height) {
    fail(reader, PictureStatusTooLarge, "%zu × %zu pixels", width, height);
    stop(reader);
  }
  // Deflate cannot shrink data by more than 1032 to 1.
  if ((width * bits_per_pixel / 8 + 1) * height / 1040 > reader->count) {
    fail(reader, PictureStatusTruncated, "%zu bytes cannot hold the %zu × %zu pixels promised",
         reader->count, width, height);
    stop(reader);
  }
}

static void *allocate(Reader *reader, size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) {
    fail(reader, PictureStatusOutOfMemory, "no memory for %zu × %zu pixels", reader->result->width,
         reader->result->height);
    stop(reader);
  }
  return memory;
}

static void read_orientation(Reader *reader) {
#ifdef PNG_eXIf_SUPPORTED
  png_uint_32 count = 0;
  png_bytep exif = NULL;
  if (png_get_eXIf_1(reader->png, reader->info, &count, &exif) && exif != NULL) {
    reader->result->orientation = exif_orientation(exif, count);
  }
#endif
}

static void read_rows(Reader *reader) {
  png_structp png = reader->png;
  PictureDecoding *result = reader->result;
  int colour_type = png_get_color_type(png, reader->info);
  int is_palette = colour_type == PNG_COLOR_TYPE_PALETTE;
  if (is_palette) {
    png_set_packing(png);
  } else {
    png_set_expand(png);  // grey of 1, 2, 4 bits to 8; a transparent colour to alpha
  }
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, reader->info);
  int channels = png_get_channels(png, reader->info), depth = png_get_bit_depth(png, reader->info);
  Palette palette;
  if (is_palette) read_palette(reader, &palette);

  size_t row_bytes = png_get_rowbytes(png, reader->info), height = result->height;
  size_t row_count = passes > 1 ? height : 1;
  reader->rows = allocate(reader, row_count, row_bytes);
  result->pixels = allocate(reader, height, result->width * 3);
  if (passes > 1) {
    reader->row_list = allocate(reader, height, sizeof(png_bytep));
    for (size_t y = 0; y < height; y++) reader->row_list[y] = reader->rows + y * row_bytes;
    png_read_image(png, reader->row_list);
  }
  for (size_t y = 0; y < height; y++) {
    const uint8_t *row = reader->rows + (passes > 1 ? y * row_bytes : 0);
    uint8_t *rgb = result->pixels + y * result->width * 3;
    if (passes == 1) png_read_row(png, reader->rows, NULL);
    if (is_palette) {
      look_up_row(reader, row, rgb, result->width, &palette);
    } else {
      convert_row(row, rgb, result->width, channels, depth);
    }
  }
}

static void read_png(Reader *reader) {
  if (setjmp(png_jmpbuf(reader->png))) return;
  png_structp png = reader->png;
  png_set_read_fn(png, reader, take_bytes);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);  // our own check has the better words
  png_set_chunk_malloc_max(png, 64u << 20);
  png_read_info(png, reader->info);
  reader->result->width = png_get_image_width(png, reader->info);
  reader->result->height = png_get_image_height(png, reader->info);
  check_size(reader, (size_t)png_get_channels(png, reader->info) *
                         png_get_bit_depth(png, reader->info));
  read_orientation(reader);
  read_rows(reader);
  png_read_end(png, reader->info);
  read_orientation(reader);  // the chunk may stand behind the image data
}

void picture_decode_png(const uint8_t *bytes, size_t count, size_t largest_pixel_count,
                        PictureDecoding *result) {
  memset(result, 0, sizeof *result);
  result->orientation = 1;
  Reader reader = {bytes, count, 0, largest_pixel_count, NULL, NULL, NULL, NULL, result};
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png != NULL) reader.info = png_create_info_struct(reader.png);
  if (reader.info == NULL) {
    fail(&reader, PictureStatusOutOfMemory, "no memory for the PNG decoder");
  } else {
    read_png(&reader);
  }
  png_destroy_read_struct(&reader.png, &reader.info, NULL);
  free(reader.rows);
  free(reader.row_list);
  if (result->status != PictureStatusOK) {
    free(result->pixels);
    result->pixels = NULL;
  }
}

void picture_free(void *pointer) { free(pointer); }
