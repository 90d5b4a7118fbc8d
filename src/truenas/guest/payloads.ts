import { PixelsError } from '../../sandbox/errors';
import type { ExecRequest } from '../../sandbox/host';
import { uint32 } from './frames';

/**
 * A command as the payload of a start frame; what mux.pl unpacks as `NNNCnnN/aN(N/a)*`.
 * @param windowBytes of each output, so much may be under way.
 * @throws PixelsError `invalid` for what no system can run: no words, or a NUL in one.
 */
export function startPayload({ command, env = {}, cwd = '', uid, gid, tty }: ExecRequest, windowBytes: number): Buffer {
  const terminal = tty === undefined ? {} : { TERM: 'xterm-256color' };
  const variables = Object.entries({ ...terminal, ...env }).map(([name, value]) => `${name}=${value}`);
  const words = [...variables, ...command];
  if (command.length === 0) throw new PixelsError('invalid', 'There is no command to run.');
  if ([cwd, ...words].some((word) => word.includes('\0'))) {
    throw new PixelsError('invalid', 'A command, its variables and its directory cannot have NUL characters.');
  }
  const fixed = Buffer.alloc(17);
  fixed.writeUInt32BE(windowBytes, 0);
  fixed.writeUInt32BE(uid ?? 0, 4);
  fixed.writeUInt32BE(gid ?? 0, 8);
  fixed.writeUInt8(tty === undefined ? 0 : 1, 12);
  fixed.writeUInt16BE(cells(tty?.rows), 13);
  fixed.writeUInt16BE(cells(tty?.columns), 15);
  return Buffer.concat([fixed, text(cwd), uint32(variables.length), ...words.map(text)]);
}

/** A terminal's new size, as the payload of a size frame. */
export function sizePayload(columns: number, rows: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(cells(rows), 0);
  bytes.writeUInt16BE(cells(columns), 2);
  return bytes;
}

/** The kernel's `struct winsize` has 16 bits for each. */
function cells(count = 0): number {
  return Math.min(Math.max(Math.trunc(count), 0), 0xffff);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
