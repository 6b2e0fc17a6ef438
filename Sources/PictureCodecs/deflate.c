// Deflate (RFC 1951) in a zlib stream (RFC 1950), and the PNG row filters in front of it.
//
// Written here rather than taken from zlib because a picture's file must have the same bytes on
// every machine: zlib's output changed between 1.2.11 and 1.2.12, and zlib-ng's differs again.
#include <stdlib.h>
#include <string.h>

#include "PictureCodecs.h"
#include "output.h"

enum {
  window_size = 32768,
  hash_size = 1 << 15,
  hashed_bytes = 3,
  shortest_match = 6,  // of filtered rows, shorter ones cost more than literals
  longest_match = 258,
  chain_limit = 64,        // candidates looked at for each position
  good_enough = 64,        // a match this long is taken without looking for a longer one
  block_symbols = 1 << 15  // literals and matches that share one pair of Huffman codes
};

// ---- Huffman codes --------------------------------------------------------------------------

typedef struct {
  uint32_t frequency;
  int symbol;
} Leaf;

static int by_frequency(const void *a, const void *b) {
  const Leaf *left = a, *right = b;
  if (left->frequency != right->frequency) return left->frequency < right->frequency ? -1 : 1;
  return left->symbol - right->symbol;  // a total order: qsort's own does not show
}

// Code lengths of at most `limit` bits: Huffman's by two queues, then shortened to the limit.
static void code_lengths(const uint32_t *frequencies, int count, int limit, uint8_t *lengths) {
  Leaf leaves[288];
  uint64_t weight[576];
  int parent[576], leaf_count = 0;
  memset(lengths, 0, (size_t)count);
  for (int i = 0; i < count; i++) {
    if (frequencies[i] > 0) leaves[leaf_count++] = (Leaf){frequencies[i], i};
  }
  if (leaf_count == 0) return;
  if (leaf_count == 1) {
    lengths[leaves[0].symbol] = 1;
    return;
  }
  qsort(leaves, (size_t)leaf_count, sizeof(Leaf), by_frequency);
  for (int i = 0; i < leaf_count; i++) weight[i] = leaves[i].frequency;
  int next_leaf = 0, next_node = leaf_count, end = leaf_count;
  while (end < 2 * leaf_count - 1) {
    weight[end] = 0;
    for (int child = 0; child < 2; child++) {
      int take_leaf = next_leaf < leaf_count &&
                      (next_node >= end || weight[next_leaf] <= weight[next_node]);
      int node = take_leaf ? next_leaf++ : next_node++;
      weight[end] += weight[node];
      parent[node] = end;
    }
    end++;
  }
  // Depths, from the root down; `total` is the sum of 2^(limit − length), 2^limit when full.
  int depth[576], total = 0;
  depth[end - 1] = 0;
  for (int node = end - 2; node >= 0; node--) depth[node] = depth[parent[node]] + 1;
  for (int i = 0; i < leaf_count; i++) {
    if (depth[i] > limit) depth[i] = limit;
    total += 1 << (limit - depth[i]);
  }
  // Over-full after clamping: lengthen the rarest symbols that still can be.
  while (total > 1 << limit) {
    int i = 0;
    while (depth[i] == limit) i++;
    total -= 1 << (limit - depth[i] - 1);
    depth[i]++;
  }
  // That may leave gaps, and decoders refuse an incomplete code: shorten the commonest that fit.
  while (total < 1 << limit) {
    for (int i = leaf_count - 1; i >= 0; i--) {
      if (total + (1 << (limit - depth[i])) > 1 << limit) continue;
      total += 1 << (limit - depth[i]);
      depth[i]--;
    }
  }
  for (int i = 0; i < leaf_count; i++) lengths[leaves[i].symbol] = (uint8_t)depth[i];
}

// The canonical codes of RFC 1951, 3.2.2, bits reversed for putting.
static void canonical_codes(const uint8_t *lengths, int count, uint16_t *codes) {
  int per_length[16] = {0}, next[16] = {0};
  for (int i = 0; i < count; i++) per_length[lengths[i]]++;
  per_length[0] = 0;
  for (int length = 1, code = 0; length < 16; length++) {
    code = (code + per_length[length - 1]) << 1;
    next[length] = code;
  }
  for (int i = 0; i < count; i++) {
    unsigned code = lengths[i] ? (unsigned)next[lengths[i]]++ : 0, reversed = 0;
    for (int bit = 0; bit < lengths[i]; bit++) {
      reversed |= (code >> bit & 1) << (lengths[i] - 1 - bit);
    }
    codes[i] = (uint16_t)reversed;
  }
}

// ---- blocks ---------------------------------------------------------------------------------

static const uint16_t length_base[29] = {
    3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra[29] = {
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_base[30] = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t distance_extra[30] = {
    0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
    6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

static int bucket(const uint16_t *base, int count, int value) {
  int low = 0, high = count - 1;
  while (low < high) {
    int middle = (low + high + 1) / 2;
    if (base[middle] <= value) low = middle; else high = middle - 1;
  }
  return low;
}

typedef struct {
  uint16_t length;    // 0: `distance` is a literal byte
  uint16_t distance;
} Symbol;

// The code lengths of a block, run-length coded with symbols 16...18 (RFC 1951, 3.2.7).
typedef struct {
  uint8_t symbol[320], extra[320];
  int count;
} LengthRuns;

static void run_length_code(const uint8_t *lengths, int count, LengthRuns *runs) {
  runs->count = 0;
  for (int i = 0; i < count;) {
    int run = 1;
    while (i + run < count && lengths[i + run] == lengths[i]) run++;
    int symbol = lengths[i], extra = 0, used = 1;
    if (symbol == 0 && run >= 11) {
      used = run < 138 ? run : 138, symbol = 18, extra = used - 11;
    } else if (symbol == 0 && run >= 3) {
      used = run, symbol = 17, extra = used - 3;
    } else if (symbol != 0 && run >= 4) {
      // The value once, then repeats of three to six.
      runs->symbol[runs->count] = (uint8_t)symbol, runs->extra[runs->count++] = 0;
      used = run - 1 < 6 ? run - 1 : 6, symbol = 16, extra = used - 3;
      i++;
    }
    runs->symbol[runs->count] = (uint8_t)symbol;
    runs->extra[runs->count++] = (uint8_t)extra;
    i += used;
  }
}

static void put_block(Output *output, const Symbol *symbols, int count, int is_last) {
  uint32_t literal_frequency[286] = {0}, distance_frequency[30] = {0}, length_frequency[19] = {0};
  for (int i = 0; i < count; i++) {
    if (symbols[i].length == 0) {
      literal_frequency[symbols[i].distance]++;
    } else {
      literal_frequency[257 + bucket(length_base, 29, symbols[i].length)]++;
      distance_frequency[bucket(distance_base, 30, symbols[i].distance)]++;
    }
  }
  literal_frequency[256] = 1;
  // At least two distance codes, so that every decoder accepts the code as complete.
  for (int i = 0; i < 2; i++) distance_frequency[i] += distance_frequency[i] == 0;

  uint8_t lengths[286 + 30], literal_lengths[286], distance_lengths[30], run_lengths[19];
  uint16_t literal_codes[286], distance_codes[30], run_codes[19];
  code_lengths(literal_frequency, 286, 15, literal_lengths);
  code_lengths(distance_frequency, 30, 15, distance_lengths);
  canonical_codes(literal_lengths, 286, literal_codes);
  canonical_codes(distance_lengths, 30, distance_codes);
  int literal_count = 286, distance_count = 30;
  while (literal_count > 257 && literal_lengths[literal_count - 1] == 0) literal_count--;
  while (distance_count > 1 && distance_lengths[distance_count - 1] == 0) distance_count--;
  memcpy(lengths, literal_lengths, (size_t)literal_count);
  memcpy(lengths + literal_count, distance_lengths, (size_t)distance_count);
  LengthRuns runs;
  run_length_code(lengths, literal_count + distance_count, &runs);
  for (int i = 0; i < runs.count; i++) length_frequency[runs.symbol[i]]++;
  code_lengths(length_frequency, 19, 7, run_lengths);
  canonical_codes(run_lengths, 19, run_codes);

  static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
  int order_count = 19;
  while (order_count > 4 && run_lengths[order[order_count - 1]] == 0) order_count--;
  put_bits(output, (uint32_t)is_last, 1);
  put_bits(output, 2, 2);
  put_bits(output, (uint32_t)(literal_count - 257), 5);
  put_bits(output, (uint32_t)(distance_count - 1), 5);
  put_bits(output, (uint32_t)(order_count - 4), 4);
  for (int i = 0; i < order_count; i++) put_bits(output, run_lengths[order[i]], 3);
  for (int i = 0; i < runs.count; i++) {
    int symbol = runs.symbol[i];
    put_bits(output, run_codes[symbol], run_lengths[symbol]);
    if (symbol >= 16) put_bits(output, runs.extra[i], symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
  }
  for (int i = 0; i < count; i++) {
    if (symbols[i].length == 0) {
      put_bits(output, literal_codes[symbols[i].distance], literal_lengths[symbols[i].distance]);
      continue;
    }
    int length = bucket(length_base, 29, symbols[i].length);
    int distance = bucket(distance_base, 30, symbols[i].distance);
    put_bits(output, literal_codes[257 + length], literal_lengths[257 + length]);
    put_bits(output, (uint32_t)(symbols[i].length - length_base[length]), length_extra[length]);
    put_bits(output, distance_codes[distance], distance_lengths[distance]);
    put_bits(output, (uint32_t)(symbols[i].distance - distance_base[distance]),
             distance_extra[distance]);
  }
  put_bits(output, literal_codes[256], literal_lengths[256]);
}

// ---- matching -------------------------------------------------------------------------------

typedef struct {
  const uint8_t *bytes;
  size_t count;
  int64_t head[hash_size], previous[window_size];  // positions, −1 for none
} Matcher;

static unsigned hash_at(const Matcher *matcher, size_t position) {
  const uint8_t *p = matcher->bytes + position;
  return ((unsigned)p[0] << 16 ^ (unsigned)p[1] << 8 ^ p[2]) * 2654435761u >> 17;
}

static void remember(Matcher *matcher, size_t position) {
  if (position + hashed_bytes > matcher->count) return;
  unsigned hash = hash_at(matcher, position);
  matcher->previous[position % window_size] = matcher->head[hash];
  matcher->head[hash] = (int64_t)position;
}

// The longest earlier occurrence of what starts at `position`, the nearest of equal ones.
static Symbol find_match(const Matcher *matcher, size_t position) {
  Symbol best = {0, 0};
  size_t left = matcher->count - position;
  if (left < shortest_match) return best;
  int limit = left < longest_match ? (int)left : longest_match, longest = shortest_match - 1;
  const uint8_t *here = matcher->bytes + position;
  int64_t candidate = matcher->head[hash_at(matcher, position)];
  for (int tries = 0; candidate >= 0 && tries < chain_limit; tries++) {
    size_t distance = position - (size_t)candidate;
    if (distance >= window_size) break;
    const uint8_t *there = matcher->bytes + candidate;
    if (there[longest] == here[longest]) {
      int length = 0;
      while (length < limit && there[length] == here[length]) length++;
      if (length > longest) {
        longest = length;
        best = (Symbol){(uint16_t)length, (uint16_t)distance};
        if (length == limit) break;
      }
    }
    candidate = matcher->previous[(size_t)candidate % window_size];
  }
  return best;
}

static void deflate_bytes(Output *output, Matcher *matcher, Symbol *symbols) {
  for (int i = 0; i < hash_size; i++) matcher->head[i] = -1;
  size_t position = 0;
  int count = 0;
  Symbol match = find_match(matcher, 0);
  while (position < matcher->count) {
    Symbol literal = {0, matcher->bytes[position]}, next = {0, 0};
    remember(matcher, position);
    if (match.length < good_enough && position + 1 < matcher->count) {
      next = find_match(matcher, position + 1);  // lazily: a longer match may start one later
    }
    if (match.length == 0 || next.length > match.length) {
      symbols[count++] = literal;
      position += 1;
      match = next;
    } else {
      symbols[count++] = match;
      for (int i = 1; i < match.length; i++) remember(matcher, position + (size_t)i);
      position += match.length;
      match = position < matcher->count ? find_match(matcher, position) : (Symbol){0, 0};
    }
    if (count == block_symbols && position < matcher->count) {
      put_block(output, symbols, count, 0);
      count = 0;
    }
  }
  put_block(output, symbols, count, 1);
  flush_bits(output);
}

static uint32_t adler32(const uint8_t *bytes, size_t count) {
  uint32_t a = 1, b = 0;
  while (count > 0) {
    size_t run = count < 5552 ? count : 5552;  // the most before 32 bits overflow
    for (size_t i = 0; i < run; i++) a += bytes[i], b += a;
    a %= 65521, b %= 65521;
    bytes += run, count -= run;
  }
  return b << 16 | a;
}

static PictureStatus compress(const uint8_t *bytes, size_t count, uint8_t **encoded,
                              size_t *encoded_count) {
  Output output = {0};
  Matcher *matcher = malloc(sizeof *matcher);
  Symbol *symbols = malloc(block_symbols * sizeof *symbols);
  output.failed = matcher == NULL || symbols == NULL;
  if (!output.failed) {
    matcher->bytes = bytes;
    matcher->count = count;
    put_byte(&output, 0x78);  // deflate, 32 KiB window
    put_byte(&output, 0xda);  // "maximum compression"
    deflate_bytes(&output, matcher, symbols);
    uint32_t check = adler32(bytes, count);
    for (int shift = 24; shift >= 0; shift -= 8) put_byte(&output, (uint8_t)(check >> shift));
  }
  free(matcher);
  free(symbols);
  if (output.failed) free(output.bytes), output.bytes = NULL, output.count = 0;
  *encoded = output.bytes;
  *encoded_count = output.count;
  return output.failed ? PictureStatusOutOfMemory : PictureStatusOK;
}

uint32_t picture_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
  crc = ~crc;
  for (size_t i = 0; i < count; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
  }
  return ~crc;
}

// ---- PNG rows -------------------------------------------------------------------------------

enum { channels = 3, filter_count = 5 };

static uint8_t paeth(int left, int up, int corner) {
  int estimate = left + up - corner;
  int to_left = abs(estimate - left), to_up = abs(estimate - up);
  int to_corner = abs(estimate - corner);
  if (to_left <= to_up && to_left <= to_corner) return (uint8_t)left;
  return (uint8_t)(to_up <= to_corner ? up : corner);
}

// Residuals of `row` under one of PNG's five filters; `above` is a row of zeros for the first.
static uint64_t filter_row(int filter, const uint8_t *row, const uint8_t *above, size_t count,
                           uint8_t *residuals) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    int left = i >= channels ? row[i - channels] : 0, up = above[i];
    int corner = i >= channels ? above[i - channels] : 0, guess = 0;
    switch (filter) {
      case 1: guess = left; break;
      case 2: guess = up; break;
      case 3: guess = (left + up) / 2; break;
      case 4: guess = paeth(left, up, corner); break;
      default: break;
    }
    residuals[i] = (uint8_t)(row[i] - guess);
    sum += (uint64_t)abs((int8_t)residuals[i]);
  }
  return sum;
}

PictureStatus picture_png_image_data(const uint8_t *pixels, size_t width, size_t height,
                                     size_t stride, uint8_t **encoded, size_t *encoded_count) {
  size_t row_bytes = width * channels;
  uint8_t *filtered = malloc(height * (row_bytes + 1));
  uint8_t *zeros = calloc(row_bytes, 1), *trial = malloc(row_bytes);
  PictureStatus status = PictureStatusOutOfMemory;
  *encoded = NULL;
  *encoded_count = 0;
  if (filtered != NULL && zeros != NULL && trial != NULL) {
    for (size_t y = 0; y < height; y++) {
      const uint8_t *row = pixels + y * stride, *above = y > 0 ? row - stride : zeros;
      uint8_t *best = filtered + y * (row_bytes + 1);
      uint64_t smallest = UINT64_MAX;
      for (int filter = 0; filter < filter_count; filter++) {
        uint64_t sum = filter_row(filter, row, above, row_bytes, trial);
        if (sum >= smallest) continue;
        smallest = sum;
        best[0] = (uint8_t)filter;
        memcpy(best + 1, trial, row_bytes);
      }
    }
    status = compress(filtered, height * (row_bytes + 1), encoded, encoded_count);
  }
  free(filtered);
  free(zeros);
  free(trial);
  return status;
}
