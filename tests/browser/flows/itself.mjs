// The harness itself, on one page: visits it and does what `config.checks` names.
export default async function (t) {
  await t.visit(t.config.page, { status: t.config.status });
  for (const check of t.config.checks ?? []) await t[check]();
}
