import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Profile } from '../interface';
import { ERRNO, ValidationErrors, type Triple } from '../rpc/errors';
import v2504 from '../schemas/25.04.2.json';
import v2510 from '../schemas/25.10.5.json';
import v26 from '../schemas/26.0.json';
import { modelErrors } from './modelErrors';
import { pythonChecks } from './pythonChecks';

/** `entry` in place of `result`: the method filters rows of that kind, and may give any part of them. */
interface MethodSchemas {
  readonly params: { readonly properties: Readonly<Record<string, unknown>>; readonly required: readonly string[] };
  readonly result?: unknown;
  readonly entry?: unknown;
}

const ALL = { '25.04.2': v2504, '25.10.5': v2510, '26.0': v26 } as unknown as Record<
  Profile,
  Record<string, MethodSchemas>
>;

/** What a release's methods take and give. */
export class Schemas {
  private readonly ajv = new Ajv({
    allErrors: true,
    discriminator: true,
    strict: false,
    useDefaults: true,
    verbose: true,
  });
  private readonly compiled = new Map<string, ValidateFunction>();
  private readonly methods: Record<string, MethodSchemas>;

  constructor(private readonly profile: Profile) {
    this.methods = ALL[profile];
  }

  has(method: string): boolean {
    return method in this.methods;
  }

  names(): readonly string[] {
    return Object.keys(this.methods);
  }

  /**
   * The positional parameters with their defaults, in order, as `accept_params` (MW:api/base/handler/accept.py) gives them to the
   * method; throws {@link ValidationErrors} as the models do.
   */
  accept(method: string, given: readonly unknown[]): unknown[] {
    const { properties } = this.schemasOf(method).params;
    const names = Object.keys(properties);
    if (given.length > names.length) {
      const text = `Too many arguments (expected ${names.length}, found ${given.length})`;
      throw new ValidationErrors([['', text, ERRNO.EINVAL]]);
    }
    const values = structuredClone(given);
    const named: Record<string, unknown> = Object.fromEntries(
      names.slice(0, values.length).map((name, i) => [name, values[i]]),
    );
    const validate = this.validator(method, 'params');
    const triples: Triple[] = validate(named) ? [] : modelErrors(validate.errors ?? []);
    triples.push(...pythonChecks(this.profile, method, named));
    if (triples.length > 0) throw new ValidationErrors(triples);
    return names.map((name) => named[name]);
  }

  /** Throws a plain error when a method's result is not what the real one gives: that is a bug of this server. */
  checkResult(method: string, value: unknown): void {
    if ('result' in this.schemasOf(method)) this.check(method, 'result', value);
  }

  /** The same for the rows of a query, of which clients may ask any part. */
  checkRows(method: string, rows: readonly unknown[]): void {
    for (const row of rows) this.check(method, 'entry', row);
  }

  private check(method: string, kind: 'result' | 'entry', value: unknown): void {
    const validate = this.validator(method, kind);
    const copy = structuredClone(value); // without the defaults that validating adds
    if (validate(copy)) return;
    const errors = (validate.errors ?? []).map(
      ({ instancePath, message }: ErrorObject) => `${instancePath} ${message ?? ''}`,
    );
    throw new Error(
      `Bug of the test server: ${method} gives a wrong ${kind}: ${errors.join('; ')} in ${JSON.stringify(value)}`,
    );
  }

  private validator(method: string, kind: keyof MethodSchemas): ValidateFunction {
    const key = `${method} ${kind}`;
    const known = this.compiled.get(key);
    if (known) return known;
    const validate = this.ajv.compile(this.schemasOf(method)[kind] as object);
    this.compiled.set(key, validate);
    return validate;
  }

  private schemasOf(method: string): MethodSchemas {
    const found = this.methods[method];
    if (!found) throw new Error(`Bug of the test server: no schema for ${method} of ${this.profile}`);
    return found;
  }
}
