import * as z from 'zod/mini';

/**
 * What we read of the answers of `virt.*`. Fields that are not named here are let through.
 * Reference: https://api.truenas.com/v25.10/
 */

const text = z.nullish(z.string());

/** How Incus describes the instance, with `extra: {raw: true}`. Without the role VIRT_INSTANCE_WRITE it is `"********"`. */
const rawSchema = z.object({
  created_at: z.string(),
  expanded_devices: z.record(z.string(), z.record(z.string(), z.string())),
  state: z.nullish(
    z.object({
      network: z.nullish(
        z.record(z.string(), z.object({ addresses: z.array(z.object({ address: z.string(), scope: z.string() })) })),
      ),
    }),
  ),
});

export const instanceSchema = z.object({
  name: z.string(),
  type: z.string(),
  status: z.string(),
  /** `2`, or a set: `0-1,3`. */
  cpu: text,
  /** Bytes. */
  memory: z.nullish(z.number()),
  environment: z.record(z.string(), z.string()),
  aliases: z.array(z.object({ type: z.string(), address: z.string() })),
  image: z.object({ description: text, os: text, release: text, variant: text }),
  storage_pool: z.string(),
  raw: z.nullish(z.union([z.string(), rawSchema])),
});
export type Instance = z.infer<typeof instanceSchema>;

export const globalConfigSchema = z.object({
  pool: text,
  storage_pools: z.nullish(z.array(z.string())),
  bridge: text,
  state: text,
});
export type GlobalConfig = z.infer<typeof globalConfigSchema>;

/** By alias. */
export const imageChoicesSchema = z.record(
  z.string(),
  z.object({ label: z.string(), instance_types: z.array(z.string()) }),
);

/** Names by names. */
export const choicesSchema = z.record(z.string(), z.string());

/** A device of an instance. What is here is what a copy takes over; other kinds keep only their name and kind. */
export const deviceSchema = z.object({
  name: text,
  dev_type: z.string(),
  readonly: z.nullish(z.boolean()),
  network: text,
  nic_type: text,
  parent: text,
  source: text,
  destination: text,
});
export type Device = z.infer<typeof deviceSchema>;
