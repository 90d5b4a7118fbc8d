import { describe, expect, it } from 'vitest';
import { parseCommandLine, typedName } from '../../../src/cli/commandLine';
import { PIXELS } from '../../../src/cli/commands';
import { sentence, type PixelsError } from '../../../src/sandbox/errors';

function parse(line: string) {
  return parseCommandLine(PIXELS, line === '' ? [] : line.split(' '));
}

function complaint(line: string): string {
  try {
    parse(line);
  } catch (error) {
    expect(error).toMatchObject({ kind: 'invalid' });
    return sentence(error as PixelsError);
  }
  throw new Error(`"${line}" was accepted`);
}

describe('a command line', () => {
  it('names a command, its operands and its options, in any order', () => {
    expect(parse('create web --image ubuntu/24.04 --cpu 2 --memory=512 --no-provision')).toMatchObject({
      kind: 'run',
      command: { name: 'create' },
      operands: { name: 'web' },
      options: { image: 'ubuntu/24.04', cpu: '2', memory: '512', 'no-provision': true },
    });
    expect(parse('create --image debian/12 web')).toMatchObject({ operands: { name: 'web' } });
  });

  it('takes the options of every command before and after its name', () => {
    const wanted = { command: { name: 'list' }, flags: { project: 'x', json: true } };
    expect(parse('--project x list --json')).toMatchObject(wanted);
    expect(parse('list --json --project x')).toMatchObject(wanted);
    expect(parse('--json list --project=x')).toMatchObject(wanted);
  });

  it('names a command of a group, also by the short name of the group', () => {
    const wanted = { command: { name: 'restore' }, operands: { name: 'web', label: 'ready' } };
    expect(parse('checkpoint restore web ready')).toMatchObject(wanted);
    expect(parse('cp --json restore web ready')).toMatchObject(wanted);
  });

  it('leaves everything after "--" to the command in the sandbox', () => {
    expect(parse('exec web -- ls -la --json -- x')).toMatchObject({
      operands: { name: 'web' },
      rest: ['ls', '-la', '--json', '--', 'x'],
    });
    expect(parse('exec web -- ls --json')).not.toHaveProperty('flags.json');
    expect(parse('exec -t web -- sh')).toMatchObject({ options: { tty: true }, rest: ['sh'] });
  });

  it('may have operands after "--" that begin with a hyphen', () => {
    expect(parse('cp delete web -- -odd')).toMatchObject({ operands: { label: '-odd' } });
  });
});

describe('help', () => {
  it.each([
    ['--help', 'pixels'],
    ['help', 'pixels'],
    ['-h', 'pixels'],
    ['create --help', 'pixels create'],
    ['create web -h', 'pixels create'],
    ['--help create', 'pixels create'],
    ['help create', 'pixels create'],
    ['checkpoint --help', 'pixels checkpoint'],
    ['cp restore --help', 'pixels checkpoint restore'],
    ['help cp restore', 'pixels checkpoint restore'],
    ['create --nonsense --help', 'pixels create'],
  ])('is asked for by "%s"', (line, about) => {
    const parsed = parse(line);
    expect(parsed).toMatchObject({ kind: 'help', asked: true });
    expect(parsed.kind === 'help' && typedName(parsed.path)).toBe(about);
  });

  it('is what half a command line gets', () => {
    expect(parse('')).toMatchObject({ kind: 'help', asked: false });
    expect(parse('checkpoint')).toMatchObject({ kind: 'help', asked: false });
  });

  it('of a command after "--" is that command\'s own', () => {
    expect(parse('exec web -- ls --help')).toMatchObject({ kind: 'run', rest: ['ls', '--help'] });
  });
});

describe('wrong usage', () => {
  it.each([
    ['crate web', '"pixels" has no command "crate". Did you mean "create"?'],
    ['cp restroe web x', '"pixels checkpoint" has no command "restroe". Did you mean "restore"?'],
    ['frobnicate', '"pixels" has no command "frobnicate". "pixels --help" explains it.'],
    ['create web --iamge x', 'There is no option --iamge here. Did you mean "--image"?'],
    ['list --porject x', 'There is no option --porject here. Did you mean "--project"?'],
    ['stop web -x', 'There is no option -x here. "pixels stop --help" explains it.'],
    ['create web --image', '--image needs a value: --image IMAGE. "pixels create --help" explains it.'],
    ['create web --image --json', '--image needs a value: --image IMAGE. "pixels create --help" explains it.'],
    ['list --json=yes', '--json takes no value. "pixels list --help" explains it.'],
    ['create', 'NAME is missing. "pixels create --help" explains it.'],
    ['clone web', 'NAME is missing. "pixels clone --help" explains it.'],
    ['cp restore web', 'LABEL is missing. "pixels checkpoint restore --help" explains it.'],
    ['list web', '"web" is one argument too many. "pixels list --help" explains it.'],
    ['exec web', 'The command stands after "--": pixels exec web -- CMD... "pixels exec --help" explains it.'],
    ['exec web ls', 'The command stands after "--": pixels exec web -- ls "pixels exec --help" explains it.'],
  ])('"%s" says what is wrong', (line, text) => {
    expect(complaint(line)).toBe(text);
  });
});
