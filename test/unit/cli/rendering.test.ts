import { describe, expect, it } from 'vitest';
import { columns } from '../../../src/cli/commands/list';
import { lineDiff } from '../../../src/cli/diff';
import { age, size, statusWords } from '../../../src/cli/format';
import { checkpointJson, sandboxJson } from '../../../src/cli/json';
import { renderTable } from '../../../src/cli/table';
import { Terminal } from '../../../src/cli/terminal';
import { parseLabel } from '../../../src/sandbox/name';
import { fakeProcess } from './fakeProcess';
import { aSandbox, interruptedRestore } from './sandboxes';

describe('a table', () => {
  it('is aligned, numbers on the right, without blanks at the ends of lines', () => {
    const rows = [
      { name: 'web', count: 5 },
      { name: 'a-longer-name', count: 12 },
    ];
    const table = renderTable(
      [
        { title: 'NAME', text: ({ name }) => name },
        { title: 'COUNT', text: ({ count }) => String(count), right: true },
        { title: 'LAST', text: ({ name }) => (name === 'web' ? 'yes' : '') },
      ],
      rows,
    );
    expect(table).toBe(
      ['NAME           COUNT  LAST', 'web                5  yes', 'a-longer-name     12', ''].join('\n'),
    );
  });

  it('of sandboxes shows what is unfinished and what is not known', () => {
    const terminal = new Terminal(fakeProcess());
    const sandboxes = [
      aSandbox({ createdAt: new Date() }),
      aSandbox({ mark: interruptedRestore, createdAt: new Date() }),
    ];
    expect(renderTable(columns(terminal), sandboxes)).toBe(
      [
        'NAME  STATUS              ADDRESS    CPU   MEMORY  CHECKPOINTS  AGE',
        'web   running             10.0.0.12    2  512 MiB            3   0s',
        'web   restore unfinished  10.0.0.12    2  512 MiB            3   0s',
        '',
      ].join('\n'),
    );
  });

  it('has colours only on a terminal, and not with NO_COLOR', () => {
    const painted = (options: Parameters<typeof fakeProcess>[0]) => new Terminal(fakeProcess(options)).green('x');
    expect(painted({ tty: true })).toBe('\x1b[32mx\x1b[0m');
    expect(painted({ tty: true, env: { NO_COLOR: '1' } })).toBe('x');
    expect(painted({ tty: false })).toBe('x');
  });
});

describe('JSON', () => {
  const pixels = { sshOf: () => ({ alias: 'web.pixels', host: '10.0.0.12', user: 'pixel', port: 22 }) };
  const parsed = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

  it('of a sandbox', () => {
    expect(parsed(sandboxJson(aSandbox(), pixels))).toEqual({
      name: 'web',
      status: 'running',
      action: null,
      addresses: ['10.0.0.12'],
      cpu: 2,
      memoryMiB: 512,
      createdAt: '2026-11-23T12:00:00.000Z',
      image: 'Debian bookworm',
      checkpoints: 3,
      ssh: { host: '10.0.0.12', user: 'pixel', port: 22, alias: 'web.pixels' },
    });
  });

  it('of a sandbox has null for what is not known, and says what is unfinished', () => {
    const sandbox = aSandbox({ cpu: undefined, memoryMiB: undefined, image: undefined, mark: interruptedRestore });
    expect(parsed(sandboxJson(sandbox, pixels))).toMatchObject({
      cpu: null,
      memoryMiB: null,
      image: null,
      action: { name: 'restore', underWay: false },
    });
  });

  it('of a checkpoint', () => {
    const createdAt = new Date('2026-11-23T12:00:00Z');
    const json = (sizeBytes: number | undefined) =>
      parsed(checkpointJson({ label: parseLabel('a'), createdAt, sizeBytes }));
    expect(json(12)).toEqual({ label: 'a', createdAt: '2026-11-23T12:00:00.000Z', sizeBytes: 12 });
    expect(json(undefined)).toEqual({ label: 'a', createdAt: '2026-11-23T12:00:00.000Z', sizeBytes: null });
  });
});

describe('words for people', () => {
  it.each([
    [0, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3 * 3_600_000, '3h'],
    [400 * 86_400_000, '400d'],
    [-5000, '0s'],
  ])('an age of %d ms is %s', (passedMs, text) => {
    expect(age(new Date(1e12), 1e12 + passedMs)).toBe(text);
  });

  it.each([
    [undefined, ''],
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [300 * 1024 * 1024, '300 MiB'],
    [2 ** 41, '2.0 TiB'],
  ])('a size of %s bytes is "%s"', (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });

  it('tell an action under way from an interrupted one', () => {
    const underWay = { ...interruptedRestore, host: 'elsewhere', since: Date.now() };
    expect(statusWords(aSandbox({ mark: underWay }))).toBe('being restored');
    expect(statusWords(aSandbox({ mark: interruptedRestore }))).toBe('restore unfinished');
    expect(statusWords(aSandbox())).toBe('running');
  });
});

describe('a difference', () => {
  it('shows an added first line with its surroundings', () => {
    const before = ['Host a', '  User b', '', 'Host c', '  User d'].join('\n');
    expect(lineDiff(before, `Include "x"\n${before}`)).toBe('+Include "x"\n Host a\n   User b\n \n');
  });

  it('shows a line that moves up as taken out and put in', () => {
    expect(lineDiff('Host a\nInclude x\n', 'Include x\nHost a\n', 0)).toBe('-Host a\n+Host a\n');
  });

  it('of a new file is all of it', () => {
    expect(lineDiff('', 'Include x\r\n')).toBe('+Include x\n');
  });
});
