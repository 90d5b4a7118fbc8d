import { PixelsError } from './errors';

declare const brand: unique symbol;

/** A sandbox's bare name, already checked: `web`, never `px-web`. */
export type SandboxName = string & { readonly [brand]: 'SandboxName' };

/** A checkpoint's label, already checked. Every backend accepts it as a snapshot name. */
export type CheckpointLabel = string & { readonly [brand]: 'CheckpointLabel' };

/** What every sandbox's instance name on the server begins with. */
export const INSTANCE_PREFIX = 'px-';

/** What a base's name on the server has before its own: the base `agent` is the instance `px-base-agent`. */
export const BASE_PREFIX = 'base-';

/** Labels of the checkpoints that a restore takes of the state it is about to discard. */
export const SAFETY_PREFIX = 'before-restore-';

/** Instance names are host names, so 63 characters at most (RFC 1123); the prefix takes three of them. */
const NAME_PATTERN = /^[a-z]([a-z0-9-]{0,58}[a-z0-9])?$/;

/** Incus and ZFS both take these in a snapshot name; a leading letter or digit keeps it from looking like an option. */
const LABEL_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/**
 * A name as a person typed it. `px-web` means `web`: the prefix is the server's business.
 * @throws PixelsError `invalid`, saying which character or length is wrong.
 */
export function parseName(typed: string): SandboxName {
  const problem = nameProblem(typed);
  if (problem !== undefined) throw new PixelsError('invalid', problem);
  return bare(typed) as SandboxName;
}

/** What is wrong with a typed name, as one sentence, or undefined when it is right. For input boxes. */
export function nameProblem(typed: string): string | undefined {
  const name = bare(typed);
  if (name === '') return 'A sandbox needs a name, for example "web".';
  if (name.startsWith(BASE_PREFIX))
    return `"${name}" is kept for a base: no sandbox's name begins with "${BASE_PREFIX}".`;
  if (NAME_PATTERN.test(name)) return undefined;
  if (name.length > 60) return `The name is ${name.length} characters long; 60 is the most.`;
  if (/[A-Z]/.test(name)) return `"${name}" has capital letters; use "${name.toLowerCase()}".`;
  if (!/^[a-z]/.test(name)) return `"${name}" must begin with a letter from a to z.`;
  if (name.endsWith('-')) return `"${name}" must not end with a hyphen.`;
  return `"${name}" may only have the letters a to z, digits and hyphens.`;
}

/** The instance name on the server: `web` is `px-web`. */
export function instanceName(name: SandboxName): string {
  return INSTANCE_PREFIX + name;
}

/** The sandbox that an instance name belongs to, or undefined when the instance is not one of ours. */
export function nameOfInstance(instance: string): SandboxName | undefined {
  if (!instance.startsWith(INSTANCE_PREFIX)) return undefined;
  const name = instance.slice(INSTANCE_PREFIX.length);
  const typeable = NAME_PATTERN.test(name) && !name.startsWith(INSTANCE_PREFIX);
  return typeable ? (name as SandboxName) : undefined;
}

/**
 * A label as a person typed it.
 * @throws PixelsError `invalid`, saying what is wrong.
 */
export function parseLabel(typed: string): CheckpointLabel {
  const problem = labelProblem(typed);
  if (problem !== undefined) throw new PixelsError('invalid', problem);
  return typed.trim() as CheckpointLabel;
}

/** What is wrong with a typed label, as one sentence, or undefined when it is right. */
export function labelProblem(typed: string): string | undefined {
  const label = typed.trim();
  if (label === '') return 'A checkpoint needs a label, for example "ready".';
  if (LABEL_PATTERN.test(label)) return undefined;
  if (label.length > 63) return `The label is ${label.length} characters long; 63 is the most.`;
  return `"${label}" may only have letters, digits, ".", "_" and "-", and begins and ends with a letter or digit.`;
}

/** A label from the moment, for people who give none: `2026-11-23-140501`, in UTC. */
export function labelFromDate(date: Date): CheckpointLabel {
  return date.toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '') as CheckpointLabel;
}

/** A label for the checkpoint that a restore takes first. */
export function safetyLabel(date: Date): CheckpointLabel {
  return (SAFETY_PREFIX + labelFromDate(date)) as CheckpointLabel;
}

/** Whether a label names a checkpoint that a restore took of the state it discarded. */
export function isSafetyLabel(label: string): boolean {
  return label.startsWith(SAFETY_PREFIX);
}

/**
 * `SOURCE[:LABEL]`, as `--from` takes it.
 * @throws PixelsError `invalid`.
 */
export function parseSource(typed: string): { name: SandboxName; label?: CheckpointLabel } {
  const colon = typed.indexOf(':');
  if (colon === -1) return { name: parseName(typed) };
  return { name: parseName(typed.slice(0, colon)), label: parseLabel(typed.slice(colon + 1)) };
}

function bare(typed: string): string {
  return typed.trim().replace(/^(px-)+/, '');
}
