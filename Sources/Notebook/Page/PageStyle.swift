/// What pages look like, and the only thing in them that moves.
enum PageStyle {
  static let sheet = """
    :root {
      --ink: #1f2328; --quiet: #636c76; --faint: #8b949e; --line: #e4e7eb; --ground: #f6f8fa;
      --accent: #0b5cad;
      --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
      --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Roboto Mono", "DejaVu Sans Mono", monospace;
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
    body {
      margin: 0; background: #fff; color: var(--ink);
      font: 17px/1.6 var(--sans); overflow-wrap: break-word;
    }
    main { max-width: 62rem; margin: 0 auto; padding: 3.5rem 2rem 4rem; }
    h1, h2, h3 { line-height: 1.22; letter-spacing: -0.012em; font-weight: 650; }
    h1 { font-size: 2.1rem; margin: 0 0 1.1rem; text-wrap: balance; }
    h2 { font-size: 1.4rem; margin: 2.6rem 0 0.7rem; }
    h3 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
    p, ul, ol { margin: 0 0 0.9rem; }
    .prose { max-width: 43rem; margin: 1.9rem 0 0.7rem; }
    .prose > :last-child { margin-bottom: 0; }
    a { color: var(--accent); text-underline-offset: 0.15em; }
    blockquote { margin: 0 0 0.9rem; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--quiet); }
    pre, code { font-family: var(--mono); font-size: 0.86em; }
    pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.6; font-size: 14.5px; }
    .prose pre {
      background: var(--ground); border-radius: 6px; padding: 0.7rem 0.95rem; margin: 0 0 0.9rem;
      white-space: pre; overflow-x: auto;
    }
    table { border-collapse: collapse; margin: 0 0 1rem; display: block; overflow-x: auto; }
    th, td { padding: 0.3rem 0.9rem 0.3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
    .prose img { max-width: 100%; height: auto; }
    .facts {
      display: flex; flex-wrap: wrap; gap: 0.2rem 1.3rem; margin: 0 0 1.6rem; padding: 0.65rem 0;
      border: solid var(--line); border-width: 1px 0; font: 13px/1.6 var(--mono); color: var(--quiet);
    }
    .facts span { overflow-wrap: anywhere; }
    .facts b { font-weight: 400; color: var(--faint); }
    .facts .exact { color: #1a7f37; } .facts .close { color: #9a6700; } .facts .differs { color: #cf222e; }
    .cell { margin: 0.9rem 0 1.5rem; }
    .code { background: var(--ground); padding: 0.14rem 1rem; border-left: 3px solid #c9d5e3; }
    .cell > .code:first-child { padding-top: 0.6rem; border-top-right-radius: 6px; }
    .cell > .code:last-child { padding-bottom: 0.6rem; border-bottom-right-radius: 6px; }
    .cell > :is(.pictures, .caption, .figures, .printed) + .code { padding-top: 0.6rem; border-top-right-radius: 6px; }
    .cell > :is(.code, .echo):has(+ .pictures, + .figures) { padding-bottom: 0.6rem; border-bottom-right-radius: 6px; }
    .code i { font-style: normal; }
    .code .comment { color: #6e7781; } .code .keyword { color: #a0376e; } .code .number { color: #0b5cad; }
    .code .string { color: #14653a; } .code .label { color: #7a4b00; } .code .member { color: #6639ba; }
    .echo {
      display: flex; gap: 0.2rem 1.2rem; justify-content: space-between; align-items: baseline;
      margin: 0; padding: 0.05rem 1rem 0.28rem; font: 13px/1.5 var(--mono); color: var(--quiet);
      background: var(--ground); border-left: 3px solid #c9d5e3;
    }
    .echo span { overflow-wrap: anywhere; }
    .echo code { color: var(--faint); font-size: 12px; flex: none; }
    .cell > .echo:last-child { padding-bottom: 0.6rem; border-bottom-right-radius: 6px; }
    .printed { padding: 0.4rem 1rem; font-size: 13px; overflow-x: auto; white-space: pre; border-left: 3px solid var(--line); }
    .failure { padding: 0.7rem 1rem; margin-top: 0.4rem; font-size: 13.5px; color: #a40e26; background: #fff1f0; border-left: 3px solid #cf222e; }
    figure { margin: 0; }
    .pictures { display: flex; flex-wrap: wrap; gap: 0.8rem; padding: 1rem 0 0.7rem; }
    .pictures img { display: block; height: auto; max-width: 100%; border-radius: 4px; }
    .pictures .small { width: calc((100% - 5 * 0.8rem) / 6); min-width: 84px; max-width: 148px; }
    .pictures .small img { width: 100%; }
    .pictures .large { max-width: 100%; }
    figcaption, .caption { font-size: 13px; line-height: 1.4; color: var(--quiet); margin: 0.35rem 0 0; }
    .pictures + .caption { margin: 0 0 1rem; }
    .figures { display: flex; flex-wrap: wrap; gap: 0 1.5rem; padding: 0.9rem 0 0.6rem; }
    .figures > figure { max-width: 100%; }
    svg { display: block; max-width: 100%; height: auto; }
    .narrow { display: none; }
    .controls { display: flex; align-items: center; gap: 0.7rem; max-width: 440px; margin-top: 0.4rem; }
    .controls input { flex: 1; min-width: 0; accent-color: var(--accent); height: 28px; margin: 0; }
    .controls button {
      width: 34px; height: 34px; padding: 0; border: 1px solid #d0d7de; border-radius: 50%;
      background: #fff; color: var(--accent); font-size: 12px; line-height: 1; cursor: pointer;
    }
    .steps .caption { font: 13px/1.5 var(--mono); min-height: 1.5em; }
    footer { margin-top: 3.2rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 14px; color: var(--quiet); max-width: 43rem; }
    [hidden] { display: none !important; }
    @media (max-width: 640px) {
      body { font-size: 16px; }
      main { padding: 1.8rem 1rem 2.5rem; }
      h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; }
      pre { font-size: 13px; }
      .code, .echo { padding-left: 0.7rem; padding-right: 0.7rem; }
      .echo { font-size: 12px; }
      .facts { font-size: 12px; gap: 0.1rem 1rem; }
      .pictures { gap: 0.55rem; }
      .pictures .small { width: calc((100% - 2 * 0.55rem) / 3); min-width: 0; }
      .pictures .large { overflow-x: auto; }
      .pictures .large img { max-width: none; width: auto; height: auto; max-height: 30rem; }
      .wide { display: none; } .narrow { display: block; }
    }
    @media print {
      main { max-width: none; padding: 0; }
      .moving { display: none; } .still { display: block !important; }
      .cell, figure { break-inside: avoid; }
    }
    """

  static let script = """
    for (const figure of document.querySelectorAll(".steps")) {
      const moving = figure.querySelector(".moving");
      const slider = moving.querySelector("input");
      const button = moving.querySelector("button");
      const caption = moving.querySelector(".caption");
      const labels = [...moving.querySelectorAll("li")].map(item => item.textContent);
      const parts = [...moving.querySelectorAll("svg .step")];
      const show = step => {
        slider.value = step;
        for (const part of parts) part.style.display = part.dataset.step == step ? "" : "none";
        caption.textContent = labels[step];
      };
      let timer = 0;
      const stop = () => { clearInterval(timer); timer = 0; button.textContent = "▶"; };
      button.onclick = () => {
        if (timer) return stop();
        let step = +slider.value < labels.length - 1 ? +slider.value : -1;
        button.textContent = "❚❚";
        timer = setInterval(() => {
          step += 1;
          show(step);
          if (step >= labels.length - 1) stop();
        }, 120);
      };
      slider.oninput = () => { stop(); show(+slider.value); };
      show(labels.length - 1);
      figure.querySelector(".still").hidden = true;
      moving.hidden = false;
    }
    """
}
