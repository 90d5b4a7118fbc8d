import type { Config, EnvVariable } from '../config';
import type { SessionEnvironment } from '../provision';
import { canStandInConfig, type SentEnvironment } from '../ssh';

/** Where every variable of `[env]` and every secret goes. A secret counts more than a variable of the same name. */
export interface Environment {
  /** For a console or a command: all that has a value. */
  readonly session: SessionEnvironment;
  /** For the sandbox's own /etc/environment. */
  readonly written: Readonly<Record<string, string>>;
  /** For ssh. No value in it is secret or from the person's environment. */
  readonly ssh: SentEnvironment;
  /** What an ssh that we start has to have in its environment, so that it can send it. */
  readonly lent: Readonly<Record<string, string>>;
}

/**
 * @param secrets those whose values are known here: in the editor that keeps them.
 * @param secretNames all of them. Their values are never written anywhere, wherever this runs.
 */
export function environmentOf(
  { env }: Pick<Config, 'env'>,
  secrets: Readonly<Record<string, string>>,
  secretNames: readonly string[],
): Environment {
  const variables = Object.entries(env).filter(([name]) => !secretNames.includes(name));
  const pick = (wanted: (variable: EnvVariable) => boolean): Record<string, string> =>
    Object.fromEntries(
      variables.flatMap(([name, variable]) =>
        wanted(variable) && variable.value !== undefined ? [[name, variable.value] as const] : [],
      ),
    );
  const setBySsh = (variable: EnvVariable) =>
    variable.sessionOnly && variable.plain && canStandInConfig(variable.value ?? '');
  const sentBySsh = (variable: EnvVariable) => variable.sessionOnly && !setBySsh(variable);
  const sent = variables.filter(([, variable]) => sentBySsh(variable)).map(([name]) => name);
  const written = pick(({ sessionOnly }) => !sessionOnly);
  return {
    session: { plain: written, secret: { ...pick(({ sessionOnly }) => sessionOnly), ...secrets } },
    written,
    ssh: { names: [...sent, ...secretNames], values: pick(setBySsh) },
    lent: { ...pick(sentBySsh), ...secrets },
  };
}

/**
 * Values of the configuration that no log may show: keys, the proxy's password, and of the variables for sessions those that look
 * like secrets, by their name or because nobody writes such a text.
 */
export function secretValues({ env, truenas, provision }: Config): readonly string[] {
  const looksSecret = ([name, { value = '', sessionOnly }]: [string, EnvVariable]) =>
    sessionOnly && (/KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE/i.test(name) || /^[\w.+/=-]{20,}$/.test(value));
  const { proxy } = provision;
  const password = proxy === undefined ? '' : new URL(proxy).password;
  return [
    ...Object.entries(env)
      .filter(looksSecret)
      .map(([, { value = '' }]) => value),
    truenas.apiKey ?? '',
    password,
    decodeURIComponent(password),
  ];
}
