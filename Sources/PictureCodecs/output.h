// Bytes that grow as they are written, bits from the lowest up: what deflate and GIF have in common.
#pragma once
#include <stdint.h>
#include <stdlib.h>

typedef struct {
  uint8_t *bytes;
  size_t count, capacity;
  uint64_t bits;
  unsigned bit_count;
  int failed;
} Output;

static inline void put_byte(Output *output, uint8_t byte) {
  if (output->count == output->capacity) {
    size_t capacity = output->capacity < 4096 ? 4096 : output->capacity * 2;
    uint8_t *bytes = output->failed ? NULL : realloc(output->bytes, capacity);
    if (bytes == NULL) {
      output->failed = 1;
      return;
    }
    output->bytes = bytes;
    output->capacity = capacity;
  }
  output->bytes[output->count++] = byte;
}

static inline void put_bits(Output *output, uint32_t value, unsigned count) {
  output->bits |= (uint64_t)value << output->bit_count;
  output->bit_count += count;
  while (output->bit_count >= 8) {
    put_byte(output, (uint8_t)output->bits);
    output->bits >>= 8;
    output->bit_count -= 8;
  }
}

static inline void flush_bits(Output *output) {
  if (output->bit_count > 0) put_bits(output, 0, 8 - output->bit_count);
}
