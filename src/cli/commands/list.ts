import { sandboxesIn } from '../../sandbox/base';
import { isUnderWay } from '../../sandbox/mark';
import type { Sandbox } from '../../sandbox/sandbox';
import { defineCommand } from '../command';
import { age, statusWords } from '../format';
import { sandboxJson } from '../json';
import { renderTable, type Column } from '../table';
import type { Terminal } from '../terminal';

export const list = defineCommand({
  name: 'list',
  summary: 'List the sandboxes',
  operands: {},
  options: {},
  run: (cli) =>
    cli.use(async (pixels) => {
      const sandboxes = sandboxesIn(await pixels.host.list(cli.run.signal));
      if (sandboxes.length === 0) cli.say('There are no sandboxes. "pixels create web" makes one.');
      cli.print(
        sandboxes.map((sandbox) => sandboxJson(sandbox, pixels)),
        () => (sandboxes.length === 0 ? '' : renderTable(columns(cli.terminal), sandboxes)),
      );
      return 0;
    }),
});

export function columns(terminal: Terminal): readonly Column<Sandbox>[] {
  return [
    { title: 'NAME', text: ({ name }) => name },
    { title: 'STATUS', text: statusWords, paint: (text, sandbox) => statusPaint(terminal, sandbox)(text) },
    {
      title: 'ADDRESS',
      text: ({ addresses, isBehindGateway }) => (isBehindGateway ? 'gateway' : (addresses[0] ?? '')),
    },
    { title: 'CPU', text: ({ cpu }) => (cpu === undefined ? '' : String(cpu)), right: true },
    { title: 'MEMORY', text: ({ memoryMiB }) => (memoryMiB === undefined ? '' : `${memoryMiB} MiB`), right: true },
    { title: 'CHECKPOINTS', text: ({ checkpointCount }) => String(checkpointCount), right: true },
    { title: 'AGE', text: ({ createdAt }) => age(createdAt), right: true },
  ];
}

function statusPaint(terminal: Terminal, { mark, status }: Sandbox): Terminal['red'] {
  if (mark !== undefined) return isUnderWay(mark) ? terminal.yellow : terminal.red;
  if (status === 'running') return terminal.green;
  return status === 'error' ? terminal.red : terminal.gray;
}
