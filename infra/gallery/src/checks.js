// What hinders reading this e-mail in a window of this width: a list of sentences. Called as (…)(width, language).
(function (width, language) {
  const findings = new Set();
  const root = document.documentElement;
  const excerpt = (text) => `“${text.trim().replace(/\s+/g, " ").slice(0, 40)}”`;

  // [red, green, blue, opacity] of a computed colour.
  const parts = (colour) => {
    const numbers = colour.startsWith("rgb") ? colour.match(/[\d.]+/g).map(Number) : null;
    if (!numbers) findings.add(`the colour ${colour} cannot be checked`);
    return numbers ? [numbers[0], numbers[1], numbers[2], numbers[3] ?? 1] : [0, 0, 0, 0];
  };
  const over = ([r, g, b, opacity], [r2, g2, b2]) =>
    [[r, r2], [g, g2], [b, b2]].map(([above, below]) => above * opacity + below * (1 - opacity));
  const canvas = (() => {
    const probe = document.body.appendChild(document.createElement("div"));
    probe.style.backgroundColor = "Canvas";
    const colour = parts(getComputedStyle(probe).backgroundColor);
    probe.remove();
    return colour;
  })();
  const behind = (element) =>
    over(parts(getComputedStyle(element).backgroundColor), element.parentElement ? behind(element.parentElement) : canvas);
  // https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [less, more] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (more + 0.05) / (less + 0.05);
  };

  if (root.lang !== language) findings.add(`the language is named “${root.lang}”`);
  for (const image of document.querySelectorAll("img:not([alt])")) findings.add(`the image ${image.src} has no alternative text`);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const wide = [];
  while (texts.nextNode()) {
    const text = texts.currentNode.data;
    const element = texts.currentNode.parentElement;
    if (!text.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const place = range.getBoundingClientRect();
    if (!place.width || !place.height) continue;
    if (place.right > width + 0.5 || place.left < -0.5) wide.push(excerpt(text));
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    if (size < 14) findings.add(`${excerpt(text)} is ${size} px high`);
    const ground = behind(element);
    const ratio = contrast(over(parts(style.color), ground), ground);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < least) findings.add(`${excerpt(text)} has a contrast of ${ratio.toFixed(2)}:1, and not ${least}:1`);
  }
  if (root.scrollWidth > width) wide.push("");
  if (wide.length) findings.add(`it is ${root.scrollWidth} px wide: ${wide.filter(Boolean).join(", ")}`);
  return [...findings];
})
