import type { ErrorObject } from 'ajv';
import { ERRNO, type Triple } from '../rpc/errors';

/** The errors of a JSON schema as the models behind it (pydantic 2) put them: the dotted path of the attribute, and the text. */
export function modelErrors(errors: readonly ErrorObject[]): Triple[] {
  const telling = errors.filter((error) => isTelling(error, errors));
  const triples = telling.map((error): Triple => [attribute(error), text(error), ERRNO.EINVAL]);
  return triples.filter(([where, message], index) => {
    return triples.findIndex(([other, otherMessage]) => other === where && otherMessage === message) === index;
  });
}

/** A union says that no member fits, and its member `null` that the value is not null: the other members say more. */
function isTelling(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  const isUnion = error.keyword === 'anyOf' || error.keyword === 'oneOf';
  const isNullMember = error.keyword === 'type' && error.params.type === 'null';
  if (!isUnion && !isNullMember) return true;
  return !errors.some(
    (other) =>
      other !== error &&
      other.instancePath.startsWith(error.instancePath) &&
      !['anyOf', 'oneOf'].includes(other.keyword) &&
      !(other.keyword === 'type' && other.params.type === 'null'),
  );
}

function attribute({ instancePath, keyword, params }: ErrorObject): string {
  const path = instancePath.split('/').slice(1);
  if (keyword === 'additionalProperties') path.push(String(params.additionalProperty));
  if (keyword === 'required') path.push(String(params.missingProperty));
  if (keyword === 'discriminator' && params.error === 'tag') path.push(String(params.tag));
  return path.join('.');
}

const TYPES: Record<string, string> = {
  string: 'Input should be a valid string',
  integer: 'Input should be a valid integer',
  number: 'Input should be a valid number',
  boolean: 'Input should be a valid boolean',
  array: 'Input should be a valid list',
  object: 'Input should be a valid dictionary or instance',
  null: 'Input should be None',
};

function text({ keyword, params, message }: ErrorObject): string {
  const limit = Number(params.limit);
  switch (keyword) {
    case 'additionalProperties':
      return 'Extra inputs are not permitted';
    case 'required':
      return 'Field required';
    case 'type':
      return TYPES[String(params.type)] ?? `Input should be a valid ${String(params.type)}`;
    case 'const':
      return `Input should be ${quoted(params.allowedValue)}`;
    case 'enum':
      return `Input should be ${(params.allowedValues as unknown[]).map(quoted).join(' or ')}`;
    case 'minLength':
      return `String should have at least ${limit} character${limit === 1 ? '' : 's'}`;
    case 'maxLength':
      return `String should have at most ${limit} character${limit === 1 ? '' : 's'}`;
    case 'minimum':
      return `Input should be greater than or equal to ${limit}`;
    case 'maximum':
      return `Input should be less than or equal to ${limit}`;
    case 'exclusiveMinimum':
      return `Input should be greater than ${limit}`;
    case 'minItems':
      return `List should have at least ${limit} item after validation`;
    case 'pattern':
      return `String should match pattern '${String(params.pattern)}'`;
    case 'discriminator':
      return params.error === 'tag' && params.tagValue === undefined
        ? 'Field required'
        : `Input tag ${quoted(params.tagValue)} found using ${quoted(params.tag)} does not match any of the expected tags`;
    default:
      return message ?? keyword;
  }
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : value === null ? 'None' : JSON.stringify(value);
}
