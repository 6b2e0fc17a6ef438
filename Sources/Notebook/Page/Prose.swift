import CMarkdown
import Foundation

/// Prose between statements: Markdown as HTML, with nothing in it that could run.
struct Prose {
  /// The prose as HTML; raw HTML and `javascript:` links are left out.
  let html: String
  /// The text of the first heading of the first level, if there is one.
  let title: String?

  /// - Parameter picture: The `data:` address of a picture's file, nil to leave the address as it is.
  init(_ markdown: String, picture: (String) -> String? = { _ in nil }) {
    let parser = evoke_markdown_parser()
    defer { cmark_parser_free(parser) }
    cmark_parser_feed(parser, markdown, markdown.utf8.count)
    guard let parser, let root = cmark_parser_finish(parser) else {
      html = ""
      title = nil
      return
    }
    defer { cmark_node_free(root) }
    var title: String?
    let walk = cmark_iter_new(root)
    defer { cmark_iter_free(walk) }
    while true {
      let event = cmark_iter_next(walk)
      if event == CMARK_EVENT_DONE { break }
      guard event == CMARK_EVENT_ENTER, let node = cmark_iter_get_node(walk) else { continue }
      let type = cmark_node_get_type(node)
      if type == CMARK_NODE_IMAGE, let url = cmark_node_get_url(node),
        let address = picture(String(cString: url))
      {
        cmark_node_set_url(node, address)
      }
      if type == CMARK_NODE_HEADING, cmark_node_get_heading_level(node) == 1, title == nil {
        title = Self.text(of: node)
      }
    }
    self.title = title
    let rendered = evoke_markdown_html(root, parser)
    defer { free(rendered) }
    html = rendered.map { String(cString: $0) } ?? ""
  }

  /// The text below a node, without its marks.
  private static func text(of node: OpaquePointer) -> String {
    var text = ""
    var child = cmark_node_first_child(node)
    while let here = child {
      if let literal = cmark_node_get_literal(here) { text += String(cString: literal) }
      text += self.text(of: here)
      child = cmark_node_next(here)
    }
    return text
  }
}
