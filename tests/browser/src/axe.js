// What axe-core finds, rule by rule: a promise of a list of sentences.
axe.run(document, { resultTypes: ["violations", "incomplete"], rules: { "target-size": { enabled: true } } }).then((results) => {
  const told = (kind) => (rule) => `${kind} ${rule.id}: ${rule.help}: ${rule.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`;
  return [...results.violations.map(told("axe-core's")), ...results.incomplete.map(told("what axe-core cannot decide,"))];
})
