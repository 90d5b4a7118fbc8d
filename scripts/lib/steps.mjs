/**
 * What every script here prints and runs: steps with their time, child processes whose output is kept in a log and shown
 * only when they fail, and Ctrl-C that stops the work but still lets the clean-up run.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Downloads and built images that can be made again: deleting it costs time, never correctness. */
export const cacheDir =
  process.env.PIXELS_CACHE_DIR || path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'pixels-dev');

export const repository = path.resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');

/** The output of every command of this run; a failed step names it. */
export const logFile = path.join(
  cacheDir,
  'logs',
  `${path.basename(process.argv[1] ?? 'script', '.mjs')}-${process.pid}.log`,
);

const interruption = new AbortController();
/** Aborted by the first Ctrl-C or SIGTERM. A second one ends the process at once. */
export const interrupted = interruption.signal;

/** A command that ended with another code than 0; `message` ends with the last lines that it wrote. */
export class CommandFailed extends Error {
  constructor(commandLine, code, output) {
    const tail = output.trimEnd().split('\n').slice(-25).join('\n    ');
    super(`${commandLine}: ended with ${code}\n    ${tail}`);
    this.code = code;
    this.output = output;
  }
}

/** Makes Ctrl-C and SIGTERM abort `interrupted` instead of ending the process before its `finally` blocks. */
export function stopOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (interruption.signal.aborted) process.exit(130);
      interruption.abort(new Error('Interrupted'));
      say('\nStopping (once more to stop without cleaning up)');
    });
  }
}

export function say(text) {
  process.stdout.write(`${text}\n`);
}

/**
 * Runs `work` and prints one line with its time. What `work` resolves to is returned; when it calls `note(text)`, the text
 * follows the title ("already there").
 */
export async function step(title, work) {
  interrupted.throwIfAborted();
  const begun = performance.now();
  let text = '';
  const live = process.stdout.isTTY;
  if (live) process.stdout.write(`… ${title}`);
  const finish = (mark) => {
    const line = `${mark} ${title}${text && ` (${text})`}  ${seconds(performance.now() - begun)}`;
    process.stdout.write(`${live ? '\r\x1b[K' : ''}${line}\n`);
  };
  try {
    const result = await work((note) => (text = note));
    finish('✓');
    return result;
  } catch (error) {
    finish('✗');
    throw error;
  }
}

export const seconds = (milliseconds) =>
  milliseconds < 60_000
    ? `${(milliseconds / 1000).toFixed(1)} s`
    : `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;

/**
 * Runs a command to its end and returns what it wrote to stdout. Throws `CommandFailed`. Options: `cwd`, `env` (added to
 * the environment), `input` (text for stdin), `root` (through sudo when needed), `show` (output goes to the terminal),
 * `cleaningUp` (runs to its end even after Ctrl-C), `limitMs`, `signal`.
 */
export function run(command, args, { cwd, env, input, root, show, cleaningUp, limitMs, signal } = {}) {
  const signals = [...(cleaningUp ? [] : [interrupted]), ...(limitMs ? [AbortSignal.timeout(limitMs)] : [])];
  if (signal) signals.push(signal);
  const [file, ...argv] = root ? asRoot([command, ...args], env) : [command, ...args];
  const commandLine = [command, ...args].join(' ').slice(0, 200);
  writeLog(`\n$ ${commandLine}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
      signal: AbortSignal.any(signals),
    });
    let stdout = '';
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => ((stdout += text), (output += text), writeLog(text)));
    child.stderr?.setEncoding('utf8').on('data', (text) => ((output += text), writeLog(text)));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0 ? resolve(stdout) : reject(new CommandFailed(commandLine, signal ?? code, output)),
    );
    child.stdin?.on('error', () => {}); // the exit code tells what went wrong
    child.stdin?.end(input);
  });
}

/** The argv that runs `argv` as root: itself for root, through sudo (which drops the environment, hence `env`) otherwise. */
export function asRoot(argv, env = {}) {
  if (process.getuid() === 0) return argv;
  return ['sudo', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv];
}

/** The path of a command on the PATH or in the directories for root's commands, or undefined. */
export function commandPath(name) {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return directories.map((directory) => path.join(directory, name)).find((file) => existsSync(file));
}

/** Waits that long, or until `signal` is aborted. */
export const delay = (milliseconds, signal) =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });

/** Waits until `condition` resolves to something truthy and returns that; throws after `limitMs`. */
export async function until(what, limitMs, condition, everyMs = 50) {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`${what}: not so after ${seconds(limitMs)}`);
    await delay(everyMs);
  }
}

/** Runs a script's main function: prints a failure without a stack trace, and sets the exit code. */
export async function main(work) {
  stopOnSignals();
  deleteOldLogs();
  try {
    await work(process.argv.slice(2));
  } catch (error) {
    if (interrupted.aborted) return void (process.exitCode = 130);
    say(`\n${error.message}\n`);
    if (existsSync(logFile)) say(`Everything that ran: ${logFile}`);
    process.exitCode = 1;
  }
}

function deleteOldLogs() {
  const directory = path.dirname(logFile);
  if (!existsSync(directory)) return;
  const weekAgo = Date.now() - 7 * 24 * 3600_000;
  for (const name of readdirSync(directory)) {
    const file = path.join(directory, name);
    if (file === logFile || statSync(file).mtimeMs < weekAgo) rmSync(file, { force: true });
  }
}

function writeLog(text) {
  mkdirSync(path.dirname(logFile), { recursive: true });
  appendFileSync(logFile, text);
}
