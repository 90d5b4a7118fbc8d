import { PixelsError } from './errors';
import type { ExecRequest, ExecSession, SandboxHost } from './host';
import type { SandboxName } from './name';

/** More than this from a command whose output we read ourselves is a mistake, not an answer. */
const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Runs a short command to its end and returns what it printed.
 * @param input goes to its standard input.
 * @throws PixelsError `failed` when it prints more than 4 MiB; what {@link SandboxHost.exec} throws.
 */
export async function outputOf(
  host: SandboxHost,
  name: SandboxName,
  request: ExecRequest,
  signal?: AbortSignal,
  input = '',
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return outputOfSession(await host.exec(name, request, signal), input);
}

/** The same for a command that has just been started. */
export async function outputOfSession(
  session: ExecSession,
  input = '',
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  session.stdin.end(input);
  const [stdout, stderr, exitCode] = await Promise.all([
    textOf(session.stdout),
    textOf(session.stderr),
    session.exitCode,
  ]);
  return { exitCode, stdout, stderr };
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > OUTPUT_LIMIT_BYTES) throw new PixelsError('failed', 'A command in the sandbox printed far too much.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
