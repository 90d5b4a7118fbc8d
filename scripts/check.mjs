/**
 * npm run check    types, lint, format and unit tests, on two cores side by side: what to run before every commit
 *
 * Prints what failed, whole, and exits with 1 then. Each part alone: npm run check:types, :lint, :format, :unit. With
 * `-- --without-unit`, where `npm test` follows, which has the unit tests too.
 */
import { main, repository, run, say, step } from './lib/steps.mjs';

await main(async (args) => {
  const lanes = args.includes('--without-unit')
    ? [['check:lint'], ['check:types', 'check:format']]
    : [['check:unit'], ['check:types', 'check:lint', 'check:format']];
  const failures = [];
  const runLane = async (parts) => {
    for (const part of parts) {
      await step(part, () => run('npm', ['run', '--silent', part], { cwd: repository })).catch((error) =>
        failures.push(`── ${part} ──\n${error.output ?? error.message}`),
      );
    }
  };
  await Promise.all(lanes.map(runLane));
  for (const failure of failures) say(`\n${failure}`);
  if (failures.length > 0) process.exitCode = 1;
});
