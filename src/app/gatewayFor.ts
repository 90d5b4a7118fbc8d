import type { Config } from '../config';
import type { GatewayIngredients } from '../egress';

/** What a gateway is made of: as sandboxes are, and where they are. */
export function gatewayFor({ defaults: { image, pool, network } }: Config): GatewayIngredients {
  return { image, placement: { pool, network } };
}
