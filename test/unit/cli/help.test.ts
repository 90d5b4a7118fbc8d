import { describe, expect, it } from 'vitest';
import { isGroup, type Command, type CommandGroup } from '../../../src/cli/command';
import type { Path } from '../../../src/cli/commandLine';
import { PIXELS } from '../../../src/cli/commands';
import { GLOBAL_OPTIONS } from '../../../src/cli/globalOptions';
import { helpText } from '../../../src/cli/help';

function everyPath(path: Path = [PIXELS]): Path[] {
  const last = path.at(-1);
  if (last === undefined || !isGroup(last)) return [path];
  return [path, ...last.commands.flatMap((entry: Command | CommandGroup) => everyPath([...path, entry]))];
}

describe('help', () => {
  it('lists every command with what it takes', () => {
    const text = helpText([PIXELS]);
    for (const line of [
      'create NAME',
      'clone SOURCE[:LABEL] NAME',
      'exec NAME -- CMD...',
      'checkpoint restore NAME LABEL',
    ])
      expect(text).toContain(`  ${line}  `);
    expect(text).toContain('--config FILE');
  });

  it('of a command has its usage and options', () => {
    const create = PIXELS.commands.find(({ name }) => name === 'create')!;
    const text = helpText([PIXELS, create]);
    expect(text).toContain('Usage: pixels create NAME [OPTIONS]');
    expect(text).toMatch(/--from SOURCE\[:LABEL\] {2}Copy/);
  });

  it.each(everyPath())('fits into a terminal at every level: %#', (...path) => {
    const text = helpText(path as unknown as Path);
    expect(text.endsWith('\n')).toBe(true);
    expect(text.endsWith('\n\n')).toBe(false);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('knows no option twice', () => {
    for (const path of everyPath()) {
      const last = path.at(-1)!;
      if (isGroup(last)) continue;
      for (const [name, { short }] of Object.entries(last.options)) {
        expect(Object.keys(GLOBAL_OPTIONS)).not.toContain(name);
        expect(['h', 'q', 'v']).not.toContain(short);
      }
    }
  });
});
