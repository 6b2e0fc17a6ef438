#pragma once
#include <cmark-gfm.h>
#include <cmark-gfm-core-extensions.h>

// A parser for GitHub's Markdown: tables, strikethrough and bare links.
static inline cmark_parser *evoke_markdown_parser(void) {
  cmark_gfm_core_extensions_ensure_registered();
  cmark_parser *parser = cmark_parser_new(CMARK_OPT_SMART);
  const char *names[] = {"table", "strikethrough", "autolink"};
  for (int i = 0; i < 3; i++) {
    cmark_syntax_extension *extension = cmark_find_syntax_extension(names[i]);
    if (extension) cmark_parser_attach_syntax_extension(parser, extension);
  }
  return parser;
}

// The tree as HTML, malloc'd. Raw HTML and unsafe links in it are left out.
static inline char *evoke_markdown_html(cmark_node *root, cmark_parser *parser) {
  return cmark_render_html(root, CMARK_OPT_SMART, cmark_parser_get_syntax_extensions(parser));
}
