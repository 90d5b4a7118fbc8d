import * as z from 'zod/mini';
import { PixelsError } from '../sandbox/errors';

/**
 * What we read of Incus' answers. Fields that are not named here are let through and ignored.
 * Reference: https://linuxcontainers.org/incus/docs/main/rest-api/
 */

const texts = z.record(z.string(), z.string());

/** Everything the API says is in this envelope. */
export const envelopeSchema = z.object({
  type: z.enum(['sync', 'async', 'error']),
  error: z._default(z.string(), ''),
  error_code: z._default(z.number(), 0),
  metadata: z.optional(z.unknown()),
});

export const operationSchema = z.object({
  id: z.string(),
  status_code: z.number(),
  err: z._default(z.string(), ''),
  metadata: z._default(z.nullable(z.record(z.string(), z.unknown())), null),
});
export type Operation = z.infer<typeof operationSchema>;

export const instanceSchema = z.object({
  name: z.string(),
  type: z.string(),
  status_code: z.number(),
  created_at: z.string(),
  description: z.string(),
  architecture: z.string(),
  ephemeral: z.boolean(),
  profiles: z.array(z.string()),
  config: texts,
  devices: z.record(z.string(), texts),
  expanded_config: texts,
  expanded_devices: z.record(z.string(), texts),
});
export type Instance = z.infer<typeof instanceSchema>;
export type Devices = Instance['devices'];

export const snapshotSchema = z.object({
  name: z.string(),
  created_at: z.string(),
  size: z._default(z.number(), -1),
});

/** What of a snapshot's or an instance's settings a copy of it inherits. */
export const inheritedSchema = z.object({ config: texts, devices: z.record(z.string(), texts) });

export const networkStateSchema = z.record(
  z.string(),
  z.object({
    hwaddr: z.string(),
    addresses: z.array(z.object({ family: z.string(), address: z.string(), scope: z.string() })),
  }),
);

export type NetworkState = z.infer<typeof networkStateSchema>;

/** `network` is null while the instance is stopped. */
export const stateSchema = z.object({ network: z.nullable(networkStateSchema) });

/** An instance with `recursion=1` (of one) or `recursion=2` (of all). */
export const fullInstanceSchema = z.extend(instanceSchema, {
  state: z.nullable(stateSchema),
  snapshots: z.nullable(z.array(z.object({ name: z.string() }))),
});

export const volumeSchema = z.object({ name: z.string(), description: z.string() });

export const leaseSchema = z.object({ hwaddr: z.string(), address: z.string() });

export const imageSchema = z.object({
  fingerprint: z.string(),
  type: z.string(),
  size: z.number(),
  properties: z.nullable(texts),
  aliases: z.nullable(z.array(z.object({ name: z.string() }))),
});

export const imageAliasSchema = z.object({ target: z.string() });

export const networkSchema = z.object({ managed: z.boolean() });
export const networkUseSchema = z.object({ used_by: z._default(z.array(z.string()), []) });

export const profileSchema = z.object({ devices: z.record(z.string(), texts) });

export const serverSchema = z.object({
  auth: z.string(),
  environment: z.optional(
    z.object({
      server_name: z.string(),
      server_version: z.string(),
      storage: z._default(z.string(), ''),
      server_clustered: z._default(z.boolean(), false),
      certificate_fingerprint: z._default(z.string(), ''),
    }),
  ),
});

export const resourcesSchema = z.object({
  cpu: z.object({ total: z.number() }),
  memory: z.object({ total: z.number() }),
});

/** The metadata of an exec operation: one secret for each stream's WebSocket. */
export const execSchema = z.object({ fds: texts });
export const execResultSchema = z.object({ return: z.number() });

export const eventSchema = z.object({
  type: z.string(),
  metadata: z.object({
    // of a lifecycle event
    action: z.optional(z.string()),
    source: z.optional(z.string()),
    context: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
    // of an operation event
    class: z.optional(z.string()),
    status_code: z.optional(z.number()),
    resources: z.optional(z.nullable(z.record(z.string(), z.array(z.string())))),
  }),
});
export type WireEvent = z.infer<typeof eventSchema>;

/**
 * Parses what came over the wire.
 * @param what for the error: `GET /1.0`.
 * @throws PixelsError `protocol`, naming the first field that is not as expected.
 */
export function parseWire<T>(schema: z.ZodMiniType<T>, value: unknown, what: string): T {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new PixelsError('protocol', `Incus gave an answer that Pixels does not understand (${field || what}).`, {
    hint: 'Pixels is made for Incus 6.0 and newer.',
    cause: new Error(`${what}: ${field}: ${issue?.message ?? 'not as expected'}`),
  });
}

/** @throws PixelsError `protocol`. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PixelsError('protocol', 'The server gave an answer that is not from Incus.', {
      hint: 'Check the address of the server.',
      cause: new Error(`${what}: ${text.slice(0, 200)}`, { cause: error }),
    });
  }
}
