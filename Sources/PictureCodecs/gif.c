// A GIF frame's colour table and its LZW codes (GIF89a, sections 21, 22 and appendix F).
//
// Written here for the reason that deflate is: a picture's file has the same bytes on every machine.
#include <stdlib.h>
#include <string.h>

#include "PictureCodecs.h"
#include "output.h"

enum { most_colors = 256, channels = 3, code_limit = 4096, slots = 1 << 14 };

// ---- colours --------------------------------------------------------------------------------

typedef struct {
  uint32_t color;  // 0xRRGGBB
  uint32_t count;  // pixels that have it
} Entry;

// The entries of one colour of the table, and what tells where to cut them.
typedef struct {
  size_t start, end;
  uint64_t pixels, sums[channels];
  uint64_t error;  // the widest channel's squared deviations, rounded up
  int widest;
} Box;

static int channel(uint32_t color, int index) { return color >> (16 - 8 * index) & 255; }

static int by_value(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

// The different colours in rising order, and how many pixels have each; `colors` is sorted.
static size_t count_colors(uint32_t *colors, size_t count, Entry *entries) {
  size_t found = 0;
  qsort(colors, count, sizeof *colors, by_value);
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || colors[i] != colors[i - 1]) entries[found++] = (Entry){colors[i], 0};
    entries[found - 1].count++;
  }
  return found;
}

static Box measured(const Entry *entries, size_t start, size_t end) {
  Box box = {.start = start, .end = end};
  uint64_t squares[channels] = {0};
  for (size_t i = start; i < end; i++) {
    box.pixels += entries[i].count;
    for (int c = 0; c < channels; c++) {
      uint64_t value = (uint64_t)channel(entries[i].color, c);
      box.sums[c] += entries[i].count * value;
      squares[c] += entries[i].count * value * value;
    }
  }
  for (int c = 0; c < channels; c++) {
    unsigned __int128 scaled = (unsigned __int128)box.pixels * squares[c] -
                               (unsigned __int128)box.sums[c] * box.sums[c];
    uint64_t error = (uint64_t)((scaled + box.pixels - 1) / box.pixels);
    if (error > box.error) box.error = error, box.widest = c;
  }
  return box;
}

// Moves the entries up to the mean of the widest channel to the front; gives where the others begin.
static size_t cut(Entry *entries, Box box) {
  uint64_t mean = box.sums[box.widest] / box.pixels;
  size_t middle = box.start;
  for (size_t i = box.start; i < box.end; i++) {
    if ((uint64_t)channel(entries[i].color, box.widest) > mean) continue;
    Entry kept = entries[i];
    entries[i] = entries[middle];
    entries[middle++] = kept;
  }
  return middle;
}

// At most 256 colours for the entries: the box whose error is largest is cut in two, again and again
// (Wan, Wong & Prusinkiewicz 1988: Heckbert's median cut, at the mean of the widest channel).
static int make_palette(Entry *entries, size_t count, uint32_t *palette) {
  Box boxes[most_colors] = {measured(entries, 0, count)};
  int used = 1;
  while (used < most_colors) {
    int worst = 0;
    for (int i = 1; i < used; i++) {
      if (boxes[i].error > boxes[worst].error) worst = i;
    }
    if (boxes[worst].error == 0) break;
    Box box = boxes[worst];
    size_t middle = cut(entries, box);
    boxes[worst] = measured(entries, box.start, middle);
    boxes[used++] = measured(entries, middle, box.end);
  }
  for (int i = 0; i < used; i++) {
    palette[i] = 0;
    for (int c = 0; c < channels; c++) {
      uint64_t mean = (boxes[i].sums[c] + boxes[i].pixels / 2) / boxes[i].pixels;
      palette[i] = palette[i] << 8 | (uint32_t)mean;
    }
  }
  return used;
}

static uint8_t nearest(uint32_t color, const uint32_t *palette, int used) {
  int best = 0, smallest = INT32_MAX;
  for (int i = 0; i < used; i++) {
    int distance = 0;
    for (int c = 0; c < channels; c++) {
      int difference = channel(color, c) - channel(palette[i], c);
      distance += difference * difference;
    }
    if (distance < smallest) smallest = distance, best = i;
  }
  return (uint8_t)best;
}

// ---- codes ----------------------------------------------------------------------------------

// What has been seen: a code followed by an index is another code.
typedef struct {
  uint32_t keys[slots];  // code << 8 | index, plus 1; 0 where free
  uint16_t codes[slots];
} Dictionary;

static uint32_t slot(const Dictionary *seen, uint32_t key) {
  uint32_t place = key * 2654435761u >> 18;
  while (seen->keys[place] != 0 && seen->keys[place] != key) place = (place + 1) & (slots - 1);
  return place;
}

static void put_codes(Output *output, const uint8_t *indices, size_t count, unsigned bits,
                      Dictionary *seen) {
  const uint32_t clear = 1u << bits;
  unsigned size = bits + 1;
  uint32_t next = clear + 2, current = indices[0];
  memset(seen, 0, sizeof *seen);
  put_bits(output, clear, size);
  for (size_t i = 1; i < count; i++) {
    uint32_t key = (current << 8 | indices[i]) + 1, place = slot(seen, key);
    if (seen->keys[place] == key) {
      current = seen->codes[place];
      continue;
    }
    put_bits(output, current, size);
    current = indices[i];
    if (next < code_limit) {
      // A code of more bits is needed from the one on that does not fit.
      if (next == 1u << size) size++;
      seen->keys[place] = key;
      seen->codes[place] = (uint16_t)next++;
    } else {
      put_bits(output, clear, size);
      memset(seen, 0, sizeof *seen);
      size = bits + 1;
      next = clear + 2;
    }
  }
  put_bits(output, current, size);
  // The reader has one entry more after the last code, and its size with it.
  if (next < code_limit && next == 1u << size) size++;
  put_bits(output, clear + 1, size);
  flush_bits(output);
}

// ---- a frame --------------------------------------------------------------------------------

// The indices of the pixels; gives the table's size, 0 where memory is short.
static int indexed(const uint8_t *pixels, size_t width, size_t height, size_t stride,
                   uint32_t *palette, uint8_t *indices) {
  size_t count = width * height;
  uint32_t *colors = malloc(count * sizeof *colors);
  uint32_t *sorted = malloc(count * sizeof *sorted);
  Entry *entries = malloc(count * sizeof *entries);
  int used = 0;
  if (colors != NULL && sorted != NULL && entries != NULL) {
    for (size_t i = 0; i < count; i++) {
      const uint8_t *pixel = pixels + i / width * stride + i % width * channels;
      colors[i] = (uint32_t)(pixel[0] << 16 | pixel[1] << 8 | pixel[2]);
    }
    memcpy(sorted, colors, count * sizeof *colors);
    size_t different = count_colors(sorted, count, entries);
    used = make_palette(entries, different, palette);
    // The same colours in rising order again, each with its place in the table as its count.
    count_colors(sorted, count, entries);
    for (size_t i = 0; i < different; i++) {
      entries[i].count = nearest(entries[i].color, palette, used);
    }
    for (size_t i = 0; i < count; i++) {
      const Entry *entry = bsearch(&colors[i], entries, different, sizeof *entries, by_value);
      indices[i] = (uint8_t)entry->count;
    }
  }
  free(colors);
  free(sorted);
  free(entries);
  return used;
}

PictureStatus picture_gif_frame(const uint8_t *pixels, size_t width, size_t height, size_t stride,
                                uint8_t **encoded, size_t *encoded_count) {
  size_t count = width * height;
  uint32_t palette[most_colors] = {0};
  uint8_t *indices = malloc(count);
  Dictionary *seen = malloc(sizeof *seen);
  Output codes = {0}, frame = {0};
  int used = 0;
  if (indices != NULL && seen != NULL) {
    used = indexed(pixels, width, height, stride, palette, indices);
  }
  if (used > 0) {
    unsigned bits = 1;
    while (1 << bits < used) bits++;
    put_byte(&frame, (uint8_t)(0x80 | (bits - 1)));  // a table of its own, of 2^bits colours
    for (int i = 0; i < 1 << bits; i++) {
      for (int c = 0; c < channels; c++) put_byte(&frame, (uint8_t)channel(palette[i], c));
    }
    if (bits < 2) bits = 2;  // codes of fewer bits than 3 are not allowed
    put_byte(&frame, (uint8_t)bits);
    put_codes(&codes, indices, count, bits, seen);
    for (size_t start = 0; start < codes.count; start += 255) {
      size_t length = codes.count - start < 255 ? codes.count - start : 255;
      put_byte(&frame, (uint8_t)length);
      for (size_t i = 0; i < length; i++) put_byte(&frame, codes.bytes[start + i]);
    }
    put_byte(&frame, 0);
  }
  free(indices);
  free(seen);
  free(codes.bytes);
  int failed = used == 0 || codes.failed || frame.failed;
  if (failed) free(frame.bytes);
  *encoded = failed ? NULL : frame.bytes;
  *encoded_count = failed ? 0 : frame.count;
  return failed ? PictureStatusOutOfMemory : PictureStatusOK;
}
