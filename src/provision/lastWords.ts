/** The last line that a script of ours said on standard error, without our name, or else its exit code. */
export function lastWords(stderr: string, exitCode: number): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return last === '' ? `exit code ${exitCode}` : last.replace(/^pixels: /, '').replace(/\.$/, '');
}
