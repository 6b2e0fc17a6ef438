// Pictures in memory to and from PNG and JPEG bytes, and to GIF, for Swift.
//
// libpng and libjpeg report errors by longjmp, which must not cross Swift frames. Every function
// here is a plain call that returns a status: the jumps start and end inside this target.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum PictureStatus {
  PictureStatusOK = 0,
  PictureStatusTruncated,    // the bytes end before the picture does
  PictureStatusDamaged,      // the bytes contradict the format
  PictureStatusUnsupported,  // a legal file of a form that is not read
  PictureStatusTooLarge,     // more pixels than allowed
  PictureStatusOutOfMemory,
} PictureStatus;

/// What a decoder found. `pixels` is malloc'd (free it with `picture_free`), null unless OK.
typedef struct PictureDecoding {
  PictureStatus status;
  uint8_t *_Nullable pixels;  // RGB, 8 bits a channel, rows top to bottom without padding
  size_t width, height;       // as the header says, also when the status is not OK
  int orientation;            // EXIF orientation 1...8 still to be applied; 1 where none is given
  char message[240];          // what is wrong, in the decoder's words
} PictureDecoding;

/// Decodes a PNG of any colour type, bit depth and interlacing; transparency is laid over white.
void picture_decode_png(const uint8_t *_Nonnull bytes, size_t count, size_t largest_pixel_count,
                        PictureDecoding *_Nonnull result);

/// Decodes a JPEG: greyscale, YCbCr, RGB, CMYK, YCCK; baseline, progressive, arithmetic.
void picture_decode_jpeg(const uint8_t *_Nonnull bytes, size_t count, size_t largest_pixel_count,
                         PictureDecoding *_Nonnull result);

/// Encodes RGB pixels as baseline JPEG without chroma subsampling (`quality` 1...100).
/// `*encoded` is malloc'd.
PictureStatus picture_encode_jpeg(const uint8_t *_Nonnull pixels, size_t width, size_t height,
                                  int quality, uint8_t *_Nullable *_Nonnull encoded,
                                  size_t *_Nonnull encoded_count);

/// The zlib stream of a PNG's image data: RGB rows, each with the filter whose residuals have the
/// smallest sum, compressed. Rows lie `stride` bytes apart. `*encoded` is malloc'd.
PictureStatus picture_png_image_data(const uint8_t *_Nonnull pixels, size_t width, size_t height,
                                     size_t stride, uint8_t *_Nullable *_Nonnull encoded,
                                     size_t *_Nonnull encoded_count);

/// The rest of a GIF frame behind its place and size: at most 256 colours of its own (all that there
/// are, if they are no more) and the codes of the pixels nearest to them. Rows of RGB pixels lie
/// `stride` bytes apart. `*encoded` is malloc'd.
PictureStatus picture_gif_frame(const uint8_t *_Nonnull pixels, size_t width, size_t height,
                                size_t stride, uint8_t *_Nullable *_Nonnull encoded,
                                size_t *_Nonnull encoded_count);

/// The CRC-32 that ends a PNG chunk; `crc` is 0 at the start and the last result when continued.
uint32_t picture_crc32(uint32_t crc, const uint8_t *_Nonnull bytes, size_t count);

void picture_free(void *_Nullable pointer);
