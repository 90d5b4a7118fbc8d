import type { Pixels } from '../app/pixels';
import { isUnderWay } from '../sandbox/mark';
import type { Checkpoint, Sandbox } from '../sandbox/sandbox';

/** A sandbox as `--json` shows it. What is not known is null, so that the keys are always there. */
export function sandboxJson(sandbox: Sandbox, pixels: Pick<Pixels, 'sshOf'>): object {
  const { name, status, mark, addresses, cpu, memoryMiB, createdAt, image, checkpointCount } = sandbox;
  const { alias, host, user, port } = pixels.sshOf(sandbox);
  return {
    name,
    status,
    /** What Pixels is doing to it, or began and never finished. */
    action: mark === undefined ? null : { name: mark.action, underWay: isUnderWay(mark) },
    addresses,
    cpu: cpu ?? null,
    memoryMiB: memoryMiB ?? null,
    createdAt,
    image: image ?? null,
    checkpoints: checkpointCount,
    ssh: { host: host ?? null, user, port, alias },
  };
}

/** A checkpoint as `--json` shows it. */
export function checkpointJson({ label, createdAt, sizeBytes }: Checkpoint): object {
  return { label, createdAt, sizeBytes: sizeBytes ?? null };
}
