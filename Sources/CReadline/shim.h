#pragma once
// Readline's settings are mutable globals, which Swift 6 may not touch; these accessors may.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <readline/readline.h>
#include <readline/history.h>

// The candidates for the word that ends at the cursor, as a malloc'd array with NULL at its end, the
// common prefix first (rl_attempted_completion_function).
typedef char **(*evoke_completer)(const char *word, int start, int end);

static inline void evoke_readline_set_up(const char *name, evoke_completer complete) {
  rl_readline_name = name;
  rl_attempted_completion_function = complete;
  rl_completer_word_break_characters = " \t\n()[]{},:=+-*/%@<>!?&|;#\"'";
  rl_completer_quote_characters = NULL;
  rl_attempted_completion_over = 1;
  rl_catch_signals = 1;
  rl_catch_sigwinch = 1;
}

// The newest entry of the history, NULL if there is none.
static inline const char *evoke_readline_last_entry(void) {
  HIST_ENTRY *entry = history_get(history_base + history_length - 1);
  return entry ? entry->line : NULL;
}

// What is in the line now, and where the cursor stands.
static inline const char *evoke_readline_buffer(void) { return rl_line_buffer; }
static inline int evoke_readline_point(void) { return rl_point; }

// Candidates are complete: no filename falls in when there is none.
static inline void evoke_readline_no_default_completion(void) { rl_attempted_completion_over = 1; }
// What stands behind a completed word; 0 for nothing.
static inline void evoke_readline_append(char character) { rl_completion_append_character = character; }

// Inputs of several lines stay together in the history's file.
static inline void evoke_readline_keep_lines(void) {
  history_comment_char = '#';
  history_write_timestamps = 1;
}

// Writes two spaces a step at the beginning of the next line.
static inline void evoke_readline_indent(int steps) {
  for (int i = 0; i < 2 * steps; i++) rl_stuff_char(' ');
}

// Waits for a key. Readline's own wait goes on behind Ctrl-C until another key is pressed; this one
// ends the line as an empty one as soon as the hook says so.
static inline int evoke_readline_key(FILE *stream) {
  for (;;) {
    struct pollfd input = {fileno(stream), POLLIN, 0};
    int ready = poll(&input, 1, 250);
    if (ready < 0 && errno != EINTR) return EOF;
    rl_check_signals();
    if (rl_signal_event_hook && rl_signal_event_hook()) {
      rl_replace_line("", 0);
      return '\n';
    }
    if (ready <= 0) continue;
    unsigned char key;
    ssize_t count = read(fileno(stream), &key, 1);
    if (count == 1) return key;
    if (count == 0 || errno != EINTR) return EOF;
  }
}

// Lets `hook` say, while a key is waited for, whether the line is to be let go of.
static inline void evoke_readline_give_up_if(int (*hook)(void)) {
  rl_signal_event_hook = hook;
  rl_getc_function = evoke_readline_key;
}
