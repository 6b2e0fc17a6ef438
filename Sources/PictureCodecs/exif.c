#include "exif.h"

#include <string.h>

typedef struct {
  const uint8_t *bytes;
  size_t count;
  int big_endian;
} Exif;

static uint32_t number(Exif exif, size_t offset, size_t size) {
  uint32_t value = 0;
  if (offset > exif.count || exif.count - offset < size) return 0;
  for (size_t i = 0; i < size; i++) {
    value = value << 8 | exif.bytes[offset + (exif.big_endian ? i : size - 1 - i)];
  }
  return value;
}

int exif_orientation(const uint8_t *bytes, size_t count) {
  if (count >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0) bytes += 6, count -= 6;
  if (count < 14) return 1;
  int big_endian = memcmp(bytes, "MM\0*", 4) == 0;
  if (!big_endian && memcmp(bytes, "II*\0", 4) != 0) return 1;
  Exif exif = {bytes, count, big_endian};
  size_t directory = number(exif, 4, 4);
  size_t entries = number(exif, directory, 2);
  for (size_t i = 0; i < entries; i++) {
    size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > count) return 1;
    if (number(exif, entry, 2) != 0x0112) continue;
    uint32_t value = number(exif, entry + 8, 2);
    return value >= 1 && value <= 8 ? (int)value : 1;
  }
  return 1;
}
