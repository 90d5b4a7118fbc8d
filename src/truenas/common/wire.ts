import * as z from 'zod/mini';

/* What we read of the answers of `network.*`, `interface.*` and `system.*`, which all versions have. */

export const systemInfoSchema = z.object({
  version: z.string(),
  hostname: z.string(),
  cores: z.number(),
  /** Bytes. */
  physmem: z.number(),
});

export const networkSummarySchema = z.object({
  ips: z.record(z.string(), z.object({ IPV4: z.optional(z.array(z.string())) })),
  default_routes: z.array(z.string()),
});
export type NetworkSummary = z.infer<typeof networkSummarySchema>;

export const interfaceSchema = z.object({ name: z.string(), type: z.string() });
