import { PixelsError } from './errors';
import { lend, takeBack, type EgressSetup } from './egress';
import type { GuestSetup, RecipeSetup } from './guest';
import type { Run, SandboxHost } from './host';
import type { SandboxName } from './name';
import {
  failedStep,
  readProvisionRecord,
  writeProvisionRecord,
  type ProvisionProgress,
  type ProvisionRecord,
} from './provisioning';

/** The use cases around recipes: begin, look, follow. How it ended is kept with the sandbox by whoever saw it first. */
export class Provisioner {
  constructor(
    readonly host: SandboxHost,
    private readonly guest: Pick<GuestSetup, 'needs' | 'recipes'>,
    readonly egress: EgressSetup | undefined,
  ) {}

  private get recipes(): RecipeSetup {
    return this.guest.recipes;
  }

  /**
   * Begins, or begins again: what is there already is skipped.
   * @param recipe default: the one that was put in before.
   * @throws PixelsError `wrong-state` where it does not run; `invalid` when no recipe was put in before and none is named.
   */
  async begin(name: SandboxName, recipe?: string, run: Run = {}): Promise<void> {
    const { state, status } = await this.host.get(name, run.signal);
    const wanted = recipe ?? readProvisionRecord(state.provision)?.recipe;
    if (wanted === undefined) {
      throw new PixelsError('invalid', `No recipe was put into ${name} before.`, { hint: 'Name one.' });
    }
    if (status !== 'running') {
      throw new PixelsError('wrong-state', `${name} is ${status}.`, { hint: 'Start it first.' });
    }
    run.onProgress?.({ message: `Beginning with recipe ${wanted}` });
    const needs = { recipe: wanted, editor: false, isNew: false };
    await lend(this, name, () => this.guest.needs(this.host, name, needs, run), run);
    const record = await this.recipes.begin(this.host, name, wanted, run);
    await this.host.updateState(name, () => ({ provision: writeProvisionRecord(record) }), run.signal);
  }

  /** How far it is; undefined where there is nothing to be told. */
  async look(name: SandboxName, signal?: AbortSignal): Promise<ProvisionProgress | undefined> {
    const progress = await this.recipes.look(this.host, name, signal);
    await this.keep(name, progress, signal);
    return progress;
  }

  /** Tells every step until it has ended, which is then kept. See `RecipeSetup.follow`. */
  async follow(
    name: SandboxName,
    onProgress: (progress: ProvisionProgress) => void,
    signal?: AbortSignal,
  ): Promise<ProvisionProgress | undefined> {
    const progress = await this.recipes.follow(this.host, name, onProgress, signal);
    await this.keep(name, progress, signal);
    return progress;
  }

  private async keep(name: SandboxName, progress: ProvisionProgress | undefined, signal?: AbortSignal): Promise<void> {
    let hasEnded = false as boolean; // a closure says
    await this.host.updateState(
      name,
      ({ provision }) => {
        const before = readProvisionRecord(provision);
        if (before === undefined) return {};
        const after = progress && recordOf(before, progress);
        hasEnded = before.outcome === 'running' && after?.outcome !== 'running';
        if (after === undefined) return { provision: null }; // a restore went back to before it was put in
        return { provision: writeProvisionRecord(after) };
      },
      signal,
    );
    if (hasEnded) await takeBack(this, name, { signal });
  }
}

function recordOf({ recipe, hash }: ProvisionRecord, progress: ProvisionProgress): ProvisionRecord {
  const { outcome } = progress;
  if (outcome === 'failed') return { recipe, hash, outcome, failed: failedStep(progress)?.title };
  return { recipe, hash, outcome: outcome === 'done' ? 'done' : 'running' };
}
