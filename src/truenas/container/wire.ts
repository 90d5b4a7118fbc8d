import * as z from 'zod/mini';

/**
 * What we read of the answers of `container.*`, `lxc.*` and `zfs.resource.*`, which are there since 26. Fields that are
 * not named here are let through. Models: MW [stable/26] api/v26_0_0/container*.py, zfs_resource_*.py.
 */

const text = z.nullish(z.string());

/** What is here is what a copy takes over. */
const deviceSchema = z.object({
  attributes: z.object({ dtype: z.string(), nic_attach: text, type: text, source: text, target: text }),
});
export type Device = z.infer<typeof deviceSchema>;

/** It says nothing of addresses, of memory, of its image and of its age. */
export const containerSchema = z.object({
  id: z.number(),
  name: z.string(),
  dataset: z.string(),
  /** Of CPUs of the host: `0-1,3`. */
  cpuset: text,
  /** Seconds, 5 to 300. */
  shutdown_timeout: z.number(),
  initenv: z.record(z.string(), z.string()),
  status: z.object({ state: z.string(), pid: z.nullish(z.number()) }),
  devices: z.array(deviceSchema),
});
export type Container = z.infer<typeof containerSchema>;

export const createdSchema = z.object({ id: z.number() });

export const lxcConfigSchema = z.object({ preferred_pool: text, bridge: text });

export const poolChoicesSchema = z.record(z.string(), z.string());

export const attachChoicesSchema = z.object({ BRIDGE: z.array(z.string()), MACVLAN: z.array(z.string()) });

export const registrySchema = z.array(
  z.object({ name: z.string(), versions: z.array(z.object({ version: z.string() })) }),
);

export const snapshotsSchema = z.array(z.object({ name: z.string() }));

export const originsSchema = z.array(
  z.object({ name: z.string(), properties: z.nullish(z.object({ origin: z.nullish(z.object({ raw: text })) })) }),
);
