#pragma once
// Chafa draws pictures in terminals; its interface is GLib's, which stays inside these functions.
#include <chafa.h>
#include <stdlib.h>
#include <string.h>

// How a terminal shows pictures: by pixels (kitty, iTerm, sixel) where it can, else by symbols.
typedef struct {
  ChafaTermInfo *terminal;
  ChafaPixelMode pixels;
  ChafaCanvasMode colors;
} evoke_terminal;

// What the environment says of the terminal; without colours if `plain`.
static inline evoke_terminal evoke_terminal_detect(int plain) {
  gchar **environment = g_get_environ();
  evoke_terminal t = {chafa_term_db_detect(chafa_term_db_get_default(), environment),
                      CHAFA_PIXEL_MODE_SYMBOLS, CHAFA_CANVAS_MODE_FGBG};
  g_strfreev(environment);
  if (plain) return t;
  // Ghostty, which this chafa does not know, draws as kitty does.
  const gchar *name = g_getenv("TERM");
  if (chafa_term_info_have_seq(t.terminal, CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1) ||
      (name && strcmp(name, "xterm-ghostty") == 0))
    t.pixels = CHAFA_PIXEL_MODE_KITTY;
  else if (chafa_term_info_have_seq(t.terminal, CHAFA_TERM_SEQ_BEGIN_ITERM2_IMAGE))
    t.pixels = CHAFA_PIXEL_MODE_ITERM2;
  else if (chafa_term_info_have_seq(t.terminal, CHAFA_TERM_SEQ_BEGIN_SIXELS))
    t.pixels = CHAFA_PIXEL_MODE_SIXELS;
  // Sixels carry a palette of their own, whatever the terminal's letters may be coloured in.
  if (t.pixels == CHAFA_PIXEL_MODE_SIXELS ||
      chafa_term_info_have_seq(t.terminal, CHAFA_TERM_SEQ_SET_COLOR_FGBG_DIRECT))
    t.colors = CHAFA_CANVAS_MODE_TRUECOLOR;
  else if (chafa_term_info_have_seq(t.terminal, CHAFA_TERM_SEQ_SET_COLOR_FGBG_256))
    t.colors = CHAFA_CANVAS_MODE_INDEXED_240;
  else if (chafa_term_info_have_seq(t.terminal, CHAFA_TERM_SEQ_SET_COLOR_FGBG_16))
    t.colors = CHAFA_CANVAS_MODE_INDEXED_16;
  return t;
}

// The terminal's text for a picture of width × height RGB pixels in at most columns × rows cells of
// so many pixels each, malloc'd, without a newline at its end: sixels or symbols.
static inline char *evoke_terminal_picture(evoke_terminal t, const unsigned char *rgb, int width,
                                           int height, int columns, int rows, int cell_width,
                                           int cell_height) {
  gint across = columns, down = rows;
  chafa_calc_canvas_geometry(width, height, &across, &down, (float)cell_width / cell_height, TRUE,
                             FALSE);
  ChafaSymbolMap *symbols = chafa_symbol_map_new();
  chafa_symbol_map_add_by_tags(symbols, CHAFA_SYMBOL_TAG_BLOCK | CHAFA_SYMBOL_TAG_SPACE);
  ChafaCanvasConfig *config = chafa_canvas_config_new();
  chafa_canvas_config_set_geometry(config, across, down);
  chafa_canvas_config_set_cell_geometry(config, cell_width, cell_height);
  chafa_canvas_config_set_pixel_mode(config, t.pixels);
  chafa_canvas_config_set_canvas_mode(config, t.colors);
  chafa_canvas_config_set_symbol_map(config, symbols);
  ChafaCanvas *canvas = chafa_canvas_new(config);
  chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, rgb, width, height, width * 3);
  GString *text = chafa_canvas_print(canvas, t.terminal);
  char *copy = strdup(text->str);
  g_string_free(text, TRUE);
  chafa_canvas_unref(canvas);
  chafa_canvas_config_unref(config);
  chafa_symbol_map_unref(symbols);
  return copy;
}
