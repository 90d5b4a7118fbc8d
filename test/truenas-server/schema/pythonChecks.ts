import type { Profile } from '../interface';
import { ERRNO, type Triple } from '../rpc/errors';

/**
 * What the models check in Python and no JSON schema shows. The texts are those of MW:api/v25_10_5/virt_instance.py,
 * MW:api/v26_0_0/container.py and MW:plugins/cron.py.
 */
export function pythonChecks(profile: Profile, method: string, params: Readonly<Record<string, unknown>>): Triple[] {
  switch (method) {
    case 'virt.instance.create':
      return instance('virt_instance_create', params['virt_instance_create']);
    case 'virt.instance.update':
      return instance('virt_instance_update', params['virt_instance_update']);
    case 'virt.instance.stop':
    case 'virt.instance.restart':
      return stopArguments(Object.values(params)[1]);
    case 'container.create':
      return profile === '26.0' ? containerName(Object.keys(params)[0] ?? '', Object.values(params)[0]) : [];
    default:
      return [];
  }
}

const ENVIRONMENT_KEY = /^\w[\w/]*$/;
const KEY_TEXT =
  'ENV_KEY must not be empty, should start with alphanumeric characters, should not contain whitespaces, and can have _ and /';
const VALUE_TEXT = 'ENV_VALUE must have at least one non-whitespace character to be considered valid';
const LEAST_MEMORY = 32 * 1024 * 1024;

function instance(schema: string, value: unknown): Triple[] {
  if (!isObject(value)) return [];
  const { environment, memory } = value;
  const triples: Triple[] = [];
  for (const [key, content] of Object.entries(isObject(environment) ? environment : {})) {
    const at = `${schema}.environment.${key}`;
    if (!ENVIRONMENT_KEY.test(key)) triples.push([`${at}.[key]`, `Value error, ${KEY_TEXT}`, ERRNO.EINVAL]);
    if (typeof content === 'string' && !/\S/.test(content))
      triples.push([at, `Value error, ${VALUE_TEXT}`, ERRNO.EINVAL]);
  }
  if (typeof memory === 'number' && memory < LEAST_MEMORY) {
    triples.push([`${schema}.memory`, 'Value error, Value must be 32MiB or larger', ERRNO.EINVAL]);
  }
  return triples;
}

function stopArguments(value: unknown): Triple[] {
  if (!isObject(value)) return [];
  const { timeout = -1, force = false } = value;
  if (force !== false || timeout !== -1) return [];
  return [['', 'Value error, Timeout should be set if force is disabled', ERRNO.EINVAL]];
}

/** RFC 1123 labels, at most 100 characters and not an IPv4 address (MW:plugins/container/container.py `RE_NAME`). */
function containerName(schema: string, value: unknown): Triple[] {
  const name = isObject(value) ? value.name : undefined;
  if (typeof name !== 'string') return [];
  const label = '[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
  const isName = new RegExp(`^${label}(\\.${label})*$`).test(name) && name.length <= 100;
  if (isName && !/^\d+\.\d+\.\d+\.\d+$/.test(name)) return [];
  return [[`${schema}.name`, 'Name must be a valid RFC 1123 host name and not an IPv4 address', ERRNO.EINVAL]];
}

/** What is not one, the schemas have already said. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
