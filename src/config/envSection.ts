import { isReservedName, isVariableName } from '../sandbox/environment';
import { PixelsError } from '../sandbox/errors';
import type { ConfigFile } from './configFile';
import type { EnvVariable } from './schema';

/**
 * `[env]`: NAME = "text" | { value = "text", session_only = true } | { forward = true }. `$NAME` and `${NAME}` in a text
 * stand for the person's own environment; a forwarded variable that is not set there has no value.
 * @throws PixelsError `config`. Values never appear in it: they are often secret.
 */
export function readEnvSection(file: ConfigFile, env: NodeJS.ProcessEnv): Record<string, EnvVariable> {
  const variables: Record<string, EnvVariable> = {};
  for (const [name, raw] of Object.entries((file.tables['env'] ?? {}) as Record<string, unknown>)) {
    variables[name] = readVariable(name, raw, env, (what) => {
      throw new PixelsError('config', `${file.locate(`env.${name}`)}: env.${name} ${what}.`);
    });
  }
  return variables;
}

function readVariable(
  name: string,
  raw: unknown,
  env: NodeJS.ProcessEnv,
  refuse: (what: string) => never,
): EnvVariable {
  if (!isVariableName(name)) refuse('is no name for an environment variable');
  if (typeof raw === 'string') return { ...expand(raw, env), sessionOnly: false };
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return refuse('must be a text, { value = "…" } or { forward = true }');
  }
  const { value, forward = false, session_only: sessionOnly = false, ...others } = raw as Record<string, unknown>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) refuse(`has an unknown key, ${unknown}`);
  if (typeof forward !== 'boolean' || typeof sessionOnly !== 'boolean') {
    return refuse('must have true or false for forward and session_only');
  }
  if ((forward || sessionOnly) && isReservedName(name)) {
    refuse('decides what a login is and which programs it runs, so it cannot be forwarded or session_only');
  }
  if (forward) return { value: env[name], sessionOnly: true, plain: false };
  if (typeof value !== 'string') return refuse('must have a text as its value');
  return { ...expand(value, env), sessionOnly };
}

function expand(text: string, env: NodeJS.ProcessEnv): { value: string; plain: boolean } {
  let plain = true;
  const value = text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, bare: string | undefined) => {
    plain = false;
    return env[braced ?? bare ?? ''] ?? '';
  });
  return { value, plain };
}
