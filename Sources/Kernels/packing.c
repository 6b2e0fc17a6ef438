// Packing of weights into column panels, converted on the way. A layer's panels are cut into units
// by shape; every unit reads its part of the checkpoint once.
#include <string.h>

#include "table.h"

long kernel_packed_count(long n, long k) { return (n + 15) / 16 * 16 * k; }

enum { ExpandedPerUnit = 1 << 16 };

typedef struct Expansion {
  KernelStored x;
  long count;
  float *y;
} Expansion;

static void expand_unit(void *context, long unit) {
  const Expansion *e = context;
  const long first = unit * ExpandedPerUnit, size = e->x.format == KernelFloat32 ? 4 : 2;
  kernel_table()->expand(
      e->x.format, (const char *)e->x.from + first * size,
      minimum(ExpandedPerUnit, e->count - first), e->y + first);
}
void kernel_expand(KernelStored x, long count, float *y) {
  Expansion e = {x, count, y};
  kernel_parallel((count + ExpandedPerUnit - 1) / ExpandedPerUnit, expand_unit, &e);
}

// Filters [outputs][inputs][taps]. In a panel the product's depth runs over taps, then inputs;
// the places of a Winograd transform are matrices of their own, one behind the other.
typedef struct Packing {
  KernelStored filters;
  long outputs, inputs, taps;
  int tile;  // of Winograd's outputs, or 0
  bool bfloat16;
  bool halves;  // sixteen bits each, as in the checkpoint
  long cuts;  // units that share a panel
  float *packed;
} Packing;

enum { InputsPerBlock = 32, MostTaps = 9, InputsPerUnit = 512 };

// Sixteen columns of a panel from `count` inputs of `x`: pairs of bfloat16, `width` apart.
static void place_pairs(const Packing *p, const float *x, long count, long width, float *to) {
  for (long tap = 0; tap < p->taps; tap++, to += width * p->inputs / 2)
    for (long i = 0; i < count; i += 2) {
      const float *from = x + (i * p->taps + tap) * 16;
      kernel_table()->pair(from, from + p->taps * 16, to + i / 2 * width);
    }
}
static void place_transformed(
    const Packing *p, const float *x, long count, long width, long stride, float *to) {
  if (!p->bfloat16) {
    kernel_table()->winograd_filters(p->tile, x, count, width, stride, to);
    return;
  }
  float places[MostPlaces * InputsPerBlock * 16];
  kernel_table()->winograd_filters(p->tile, x, count, 16, count * 16, places);
  for (int place = 0; place < (p->tile + 2) * (p->tile + 2); place++)
    for (long i = 0; i < count; i += 2) {
      const float *from = places + (place * count + i) * 16;
      kernel_table()->pair(from, from + 16, to + place * stride + i / 2 * width);
    }
}

static void pack_block(const Packing *p, long panel, long c0, long c1) {
  const long column = panel_start(p->outputs, panel) * 16;
  const long width = panel_width(p->outputs, panel) * 16, per_word = p->bfloat16 ? 2 : 1;
  const long depth = (p->tile ? p->inputs : p->taps * p->inputs) / per_word;
  const long stride = kernel_packed_count(p->outputs, p->inputs / per_word);
  const ColumnPlaces in_panel = {p->taps, width, width * p->inputs};
  const ColumnPlaces in_order = {1, 16, 0};
  const long most = p->halves ? InputsPerUnit : InputsPerBlock;
  for (long c = c0; c < c1; c += most) {
    const long count = minimum(most, c1 - c);
    for (long j = 0; j < width; j += 16) {
      const long row = p->inputs * p->taps, first = c * p->taps, columns = count * p->taps;
      const long place = column * depth + j + c / per_word * width;
      if (p->halves) {
        kernel_table()->transpose_panel(
            p->filters.from, p->outputs, row, column + j, first, columns, in_panel,
            (uint16_t *)p->packed + place);
      } else if (!p->tile && !p->bfloat16) {
        kernel_table()->expand_panel(
            p->filters, p->outputs, row, column + j, first, columns, in_panel, p->packed + place);
      } else {
        float expanded[InputsPerBlock * MostTaps * 16];
        kernel_table()->expand_panel(
            p->filters, p->outputs, row, column + j, first, columns, in_order, expanded);
        if (p->tile) place_transformed(p, expanded, count, width, stride, p->packed + place);
        else place_pairs(p, expanded, count, width, p->packed + place);
      }
    }
  }
}

static void pack_unit(void *context, long unit) {
  const Packing *p = context;
  const long cut = unit % p->cuts;
  const long pairs = p->inputs / 2;
  const long first = cut == 0 ? 0 : pairs * cut / p->cuts * 2;
  const long last = cut + 1 == p->cuts ? p->inputs : pairs * (cut + 1) / p->cuts * 2;
  pack_block(p, unit / p->cuts, first, last);
}

static void pack(Packing p) {
  p.cuts = (p.inputs + InputsPerUnit - 1) / InputsPerUnit;
  kernel_parallel(panel_count(p.outputs) * p.cuts, pack_unit, &p);
}

void kernel_pack_rows(KernelStored weights, long n, long k, float *packed) {
  pack((Packing){.filters = weights, .outputs = n, .inputs = k, .taps = 1, .packed = packed});
}

void kernel_pack_row_halves(KernelStored weights, long n, long k, float *packed) {
  pack((Packing){
      .filters = weights, .outputs = n, .inputs = k, .taps = 1, .halves = true, .packed = packed});
}

void kernel_pack_rows_bfloat16(KernelStored weights, long n, long k, float *packed) {
  pack((Packing){
      .filters = weights, .outputs = n, .inputs = k, .taps = 1, .bfloat16 = true, .packed = packed});
}

long kernel_convolution_packed_count(const ConvolutionLayer *layer) {
  const int tile = kernel_winograd_tile(layer);
  const long inputs = layer->bfloat16 ? layer->inputs / 2 : layer->inputs;
  if (tile) return (tile + 2) * (tile + 2) * kernel_packed_count(layer->outputs, inputs);
  const long count =
      kernel_packed_count(layer->outputs, layer->kernel_height * layer->kernel_width * inputs);
  return layer->format == KernelFloat32 ? count : count / 2;
}

void kernel_convolution_pack(const ConvolutionLayer *layer, KernelStored weights, float *packed) {
  pack((Packing){
      .filters = weights,
      .outputs = layer->outputs,
      .inputs = layer->inputs,
      .taps = layer->kernel_height * layer->kernel_width,
      .tile = kernel_winograd_tile(layer),
      .bfloat16 = layer->bfloat16,
      .halves = layer->format != KernelFloat32 && !kernel_winograd_tile(layer),
      .packed = packed,
  });
}

typedef struct Columns {
  const float *from;
  long n, k;
  float *to;
} Columns;

static void pack_columns_panel(void *context, long panel) {
  const Columns *p = context;
  const long column = panel_start(p->n, panel) * 16, width = panel_width(p->n, panel) * 16;
  const long present = minimum(width, p->n - column);
  float *to = p->to + column * p->k;
  for (long k = 0; k < p->k; k++, to += width) {
    memcpy(to, p->from + k * p->n + column, (size_t)present * sizeof(float));
    for (long j = present; j < width; j++) to[j] = 0;
  }
}
void kernel_pack_columns(const float *columns, long k, long n, float *packed) {
  Columns p = {columns, n, k, packed};
  kernel_parallel(panel_count(n), pack_columns_panel, &p);
}
