// What hinders using this page with a finger, with large letters or without scripts: a list of sentences.
(() => {
  const findings = new Set();
  const name = (element) => `“${(element.textContent || element.getAttribute("name") || element.tagName).trim().slice(0, 40)}”`;
  const isInSentence = (element) => element.tagName === "A" && element.parentElement.textContent.trim() !== element.textContent.trim();
  for (const element of document.querySelectorAll("a, button, select, input:not([type=hidden])")) {
    const target = element.closest("label") ?? element;
    const place = target.getBoundingClientRect();
    const isAside = place.right < 0;
    if (isAside || (isInSentence(element) && !element.closest("nav, footer, .notice"))) continue;
    if (place.height < 44) findings.add(`${name(target)} is ${place.height.toFixed(1)} px high, and not 44`);
  }
  if (document.scripts.length) findings.add("it has scripts");
  for (const element of document.querySelectorAll("*"))
    for (const attribute of element.attributes)
      if (attribute.name.startsWith("on")) findings.add(`it has the attribute ${attribute.name}`);
  const root = document.documentElement;
  root.style.fontSize = "200%";
  if (root.scrollWidth > innerWidth) {
    const wide = [...document.querySelectorAll("main *")].filter((element) => element.getBoundingClientRect().right > innerWidth);
    findings.add(`with letters twice as large it is ${root.scrollWidth} px wide: ${wide.map(name).slice(-2).join(", ")}`);
  }
  root.removeAttribute("style");
  if (document.querySelectorAll("h1").length !== 1) findings.add("it has not one heading of the first level");
  return [...findings];
})()
