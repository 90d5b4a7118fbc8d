import { baseOf } from './base';
import { claim } from './claim';
import { destroySandbox, resumeDestroy } from './destroy';
import {
  changePolicy,
  lend,
  placePolicy,
  releasePolicy,
  startUnderPolicy,
  takeBack,
  type EgressSetup,
  type Guard,
} from './egress';
import type { Access, EditorServer, GuestSetup } from './guest';
import { cancelled, isKind, PixelsError, sentence, toPixelsError } from './errors';
import type { Run, SandboxHost, StopOptions } from './host';
import { chosenLimits, type LimitRequest } from './limits';
import { refuseIfUnderWay, underMark, type Mark } from './mark';
import { isSafetyLabel, labelFromDate, SAFETY_PREFIX, type CheckpointLabel, type SandboxName } from './name';
import { whenNotBusy } from './patience';
import { Provisioner } from './provisioner';
import { readProvisionRecord, reopened, writeProvisionRecord } from './provisioning';
import { restoreCheckpoint, resumeRestore, type RestoreContext } from './restore';
import type { Limits, Placement, StateChange } from './sandbox';
import { removeIfMarked, undoInTime } from './undo';

/** What a new sandbox is made of. */
export type Source =
  | { readonly image: string; readonly placement: Placement }
  | { readonly from: { readonly name: SandboxName; readonly label?: CheckpointLabel | undefined } };

export interface CreateRequest extends LimitRequest {
  readonly name: SandboxName;
  readonly source: Source;
  /** Set up the user, sshd and the key. Without it the sandbox is exactly its image. */
  readonly provision: boolean;
  /** The recipe that is put in after that, in the background. A copy has its source's, if none is named. */
  readonly recipe?: string | undefined;
  /** The editor whose server is put in with the recipe, or after that of the base that it is cloned from. */
  readonly editor?: EditorServer | undefined;
  /** What it may reach; default: what its source may, and for one that is no sandbox's copy, what the configuration says. */
  readonly egress?: string | undefined;
}

/** What a graceful stop gets before it is an error that offers force. */
export const GRACEFUL: StopOptions = { force: false, timeoutMs: 30_000 };
export const FORCED: StopOptions = { force: true, timeoutMs: 30_000 };

/**
 * The use cases. Each either finishes, or undoes what it did, or leaves a mark on the sandbox ({@link Mark}) with which
 * {@link finish} completes it. Undoing does not listen to the abort signal: it has to happen.
 */
export class Lifecycle {
  /** The use cases around recipes. */
  readonly provisioner: Provisioner;

  constructor(
    private readonly host: SandboxHost,
    private readonly guest: GuestSetup,
    private readonly egress?: EgressSetup,
  ) {
    this.provisioner = new Provisioner(host, guest, egress);
  }

  /**
   * Looks at what a create needs on this machine, before anything is made; changes nothing.
   * @throws PixelsError `config`, `not-found` (recipe).
   */
  async prepare({ provision, recipe }: Pick<CreateRequest, 'provision' | 'recipe'>): Promise<void> {
    if (recipe !== undefined) await this.guest.recipes.check(recipe);
    if (provision) await this.guest.prepare();
  }

  /**
   * A running sandbox that one can log into. When making or starting it fails, or it is cancelled, it is removed again;
   * when only the way in could not be set up it stays, marked.
   */
  async create(request: CreateRequest, run: Run = {}): Promise<void> {
    const { name, provision, recipe } = request;
    await this.prepare(request);
    const limits = await chosenLimits(this.host, request, run.signal);
    const policy = await this.policyFor(request, run);
    if (policy !== undefined) await this.egress?.check(this.host, policy, run.signal);
    const action = 'from' in request.source ? 'clone' : 'create';
    return underMark(action, { provision, recipe }, async (mark) => {
      let started = false;
      try {
        await this.make(request, { limits, egress: policy }, mark, run);
        await this.firstStart(name, mark, run);
        started = true;
        await this.completeSetUp(name, mark, run, editorFor(request));
      } catch (error) {
        if (!started || isKind(error, 'cancelled')) {
          await removeIfMarked(this.host, name, mark);
          await releasePolicy(this.guard, name, { ...(policy === undefined ? {} : { egress: policy }) });
          throw error;
        }
        await undoInTime(() => takeBack(this.guard, name));
        const reason = sentence(toPixelsError(error));
        throw new PixelsError('failed', `${name} was created, but logging in could not be set up. ${reason}`, {
          hint: `Start ${name} to try again, or destroy it.`,
          cause: error,
        });
      }
    });
  }

  /**
   * Starts it; when a use case was interrupted on it, finishes that, unless it was to be destroyed: who starts it wants to keep
   * it. A way in is seen to again: this machine's key may be new to it, and its host key may have been changed inside.
   */
  async start(name: SandboxName, run: Run = {}): Promise<void> {
    const { mark, state } = await this.host.get(name, run.signal);
    if (mark !== undefined && mark.action !== 'destroy') return this.finish(name, run);
    refuseIfUnderWay(name, mark);
    if (state.sshUser !== undefined) await this.guest.prepare();
    run.onProgress?.({ message: `Starting ${name}` });
    await startUnderPolicy(this.guard, name, run);
    if (mark !== undefined) {
      await this.host.updateState(name, (now) => (now.mark === state.mark ? { mark: null } : {}), run.signal);
    }
    if (state.sshUser === undefined) return;
    const access = await this.guest.setUpAccess(this.host, name, { newHostKey: false }, run);
    const isKnown = access.hostKey === state.hostKey && access.sshUser === state.sshUser;
    if (isKnown && !hasFailed(state.provision)) return;
    await this.host.updateState(name, ({ provision }) => ({ ...access, ...triedAgain(provision) }), run.signal);
  }

  /** @throws `timeout` when a graceful stop takes too long. It may still stop later; force is the other way. */
  async stop(name: SandboxName, how: StopOptions = GRACEFUL, run: Run = {}): Promise<void> {
    run.onProgress?.({ message: `Stopping ${name}` });
    await this.host.stop(name, how, run);
  }

  async restart(name: SandboxName, how: StopOptions = GRACEFUL, run: Run = {}): Promise<void> {
    await this.stop(name, how, run);
    await this.start(name, run);
  }

  /**
   * The sandbox and all its checkpoints are gone, whatever it was doing. When it cannot be stopped, or is not to be destroyed
   * after all, it is left as it was.
   * @throws `not-found`, `busy`; `wrong-state` before anything is touched, when it has linked clones.
   */
  async destroy(name: SandboxName, run: Run = {}): Promise<void> {
    run.onProgress?.({ message: `Destroying ${name}` });
    const state = await destroySandbox(this.host, name, () => startUnderPolicy(this.guard, name, {}), run);
    await releasePolicy(this.guard, name, state);
  }

  /** @returns the label, made from the time when none is given. @throws `exists`, `busy`. */
  async createCheckpoint(name: SandboxName, label?: CheckpointLabel, run: Run = {}): Promise<CheckpointLabel> {
    const chosen = label ?? labelFromDate(new Date());
    if (isSafetyLabel(chosen)) {
      throw new PixelsError('invalid', `Labels that begin with "${SAFETY_PREFIX}" are made by a restore.`, {
        hint: 'Choose another label.',
      });
    }
    run.onProgress?.({ message: `Taking checkpoint ${chosen}` });
    // Incus 6.0 lets a snapshot be taken of an instance that is being deleted, which can then never be deleted.
    await this.host.createCheckpoint(name, chosen, run, (mark) => refuseIfUnderWay(name, mark));
    return chosen;
  }

  /** @throws `not-found`. */
  async deleteCheckpoint(name: SandboxName, label: CheckpointLabel, run: Run = {}): Promise<void> {
    run.onProgress?.({ message: `Deleting checkpoint ${label}` });
    await this.host.deleteCheckpoint(name, label, run);
  }

  /**
   * Its root filesystem is as it was at the checkpoint; running if it was running. A safety checkpoint of the state
   * before is kept until the next restore, where the storage allows it.
   * @throws `not-found` before anything is touched, `busy`.
   */
  async restore(name: SandboxName, label: CheckpointLabel, run: Run = {}): Promise<void> {
    await restoreCheckpoint(this.restoreContext(name, run), label);
  }

  /**
   * Changes what a sandbox may reach: at once where it runs, from its next start on otherwise.
   * @param change from the policy of now to another one; both as the egress room writes them.
   * @returns whether it is in force now.
   * @throws `failed` when it cannot be put in force; then the sandbox does not stay running.
   */
  async changeEgress(
    name: SandboxName,
    change: (policy: string | undefined) => string,
    run: Run = {},
  ): Promise<boolean> {
    refuseIfUnderWay(name, (await this.host.get(name, run.signal)).mark);
    return changePolicy(this.guard, name, change, run);
  }

  /** Completes what was interrupted on a sandbox. Nothing happens when there is nothing to complete. @throws `busy`. */
  async finish(name: SandboxName, run: Run = {}): Promise<void> {
    const { mark } = await this.host.get(name, run.signal);
    refuseIfUnderWay(name, mark);
    await whenNotBusy(() => this.finishWhatIsLeft(name, run), run.signal);
  }

  private async finishWhatIsLeft(name: SandboxName, run: Run): Promise<void> {
    const { mark: found, status, state } = await this.host.get(name, run.signal);
    if (found === undefined) return;
    if (found.action === 'destroy') {
      await resumeDestroy(this.host, name, run);
      return releasePolicy(this.guard, name, state);
    }
    const { action, label, safety, wasRunning, provision, recipe } = found;
    const details = { label, safety, wasRunning, provision, recipe };
    await underMark(action, details, async (mark) => {
      await claim(this.host, name, mark, run.signal);
      if (action === 'restore') return resumeRestore(this.restoreContext(name, run), mark);
      if (status !== 'running') await this.firstStart(name, mark, run);
      await this.completeSetUp(name, mark, run);
    });
  }

  private restoreContext(name: SandboxName, run: Run): RestoreContext {
    const onward: Run = { onProgress: run.onProgress }; // once it is rolled back there is nothing to cancel
    return {
      host: this.host,
      name,
      run,
      start: () => startUnderPolicy(this.guard, name, onward),
      place: () => placePolicy(this.guard, name, onward),
      complete: (mark) => this.completeSetUp(name, mark, onward),
    };
  }

  private get guard(): Guard {
    const { host, guest, egress } = this;
    return { host, egress, tell: (name, run) => guest.tell(host, name, run) };
  }

  private async policyFor({ source, egress }: CreateRequest, run: Run): Promise<string | undefined> {
    if (egress !== undefined) return egress;
    const isCopy = 'from' in source && baseOf(source.from.name) === undefined;
    return isCopy ? (await this.host.get(source.from.name, run.signal)).state.egress : this.egress?.initial(this.host);
  }

  private async make(
    { name, source }: CreateRequest,
    { limits, egress }: { readonly limits: Limits; readonly egress: string | undefined },
    mark: Mark,
    run: Run,
  ): Promise<void> {
    const state = { mark: JSON.stringify(mark), ...(egress === undefined ? {} : { egress }) };
    if ('from' in source) {
      const { from } = source;
      const base = baseOf(from.name);
      const copied = from.label === undefined ? from.name : `${from.name}:${from.label}`;
      run.onProgress?.({ message: base === undefined ? `Copying ${copied}` : `Cloning the base ${base}` });
      // What its source's recipe has begun goes on in the copy; a base's is done.
      const { provision } = (await this.host.get(from.name, run.signal)).state;
      const kept = provision === undefined || base !== undefined ? provision : reopened(provision);
      const own = mark.provision === false || kept === undefined ? {} : { provision: kept };
      await this.host.copy({ name, source: from, limits, state: { ...state, ...own } }, run);
    } else {
      run.onProgress?.({ message: `Creating ${name} from ${source.image}` });
      await this.host.create({ name, image: source.image, limits, placement: source.placement, state }, run);
    }
  }

  /** A copy gets an identity of its own before anything in it can run. */
  private async firstStart(name: SandboxName, mark: Mark, run: Run): Promise<void> {
    if (mark.action === 'clone' && mark.provision !== false) await this.host.resetIdentity(name, run.signal);
    run.onProgress?.({ message: `Starting ${name}` });
    await startUnderPolicy(this.guard, name, run);
  }

  /** The last steps of create, clone and restore, on a running sandbox; takes the mark off. */
  private async completeSetUp(name: SandboxName, mark: Mark, run: Run, editor?: EditorServer): Promise<void> {
    let access: Access | undefined;
    let provision: { provision: string } | undefined;
    // A restore may have gone back to the middle of it; it goes on by itself, and somebody has to look how it ends.
    let isBegunAgain = mark.action === 'restore';
    if (mark.provision !== false) {
      run.onProgress?.({ message: `Setting up login to ${name}` });
      await this.lendToSetUp(name, mark, editor, run);
      access = await this.guest.setUpAccess(this.host, name, { newHostKey: mark.action === 'clone' }, run);
      if (mark.recipe !== undefined) {
        const record = await this.guest.recipes.begin(this.host, name, mark.recipe, run, editor);
        provision = { provision: writeProvisionRecord(record) };
      } else if (editor !== undefined && mark.action === 'clone') {
        isBegunAgain = await this.guest.recipes.addEditorServer(this.host, name, editor, run);
      }
    }
    if (run.signal?.aborted === true) throw cancelled();
    let isInstalling = false as boolean; // a closure says
    // Not to be cancelled: without its mark the sandbox is finished, and with it it can be undone.
    await this.host.updateState(name, (state) => {
      const reopen = isBegunAgain && state.provision !== undefined ? { provision: reopened(state.provision) } : {};
      const after = { ...reopen, ...provision };
      isInstalling = isBegunAgain || isRunning(after.provision ?? state.provision);
      return { ...access, ...after, mark: null };
    });
    // What was lent to a recipe is taken back by whoever sees it end.
    if (!isInstalling) await takeBack(this.guard, name);
  }

  private lendToSetUp(name: SandboxName, mark: Mark, editor: EditorServer | undefined, run: Run): Promise<void> {
    const wanted = { recipe: mark.recipe, editor: editor !== undefined, isNew: mark.action === 'create' };
    return lend(this.guard, name, () => this.guest.needs(this.host, name, wanted, run), run);
  }
}

/** In a copy of a sandbox its source's recipe may be going on, which nothing may be put in the place of. */
function editorFor({ source, recipe, editor }: CreateRequest): EditorServer | undefined {
  const isDone = 'from' in source && baseOf(source.from.name) !== undefined;
  return recipe !== undefined || isDone ? editor : undefined;
}

/** At every boot a sandbox does by itself what has failed before. */
function triedAgain(provision: string | undefined): StateChange {
  return provision !== undefined && hasFailed(provision) ? { provision: reopened(provision) } : {};
}

function isRunning(provision: string | undefined): boolean {
  return readProvisionRecord(provision)?.outcome === 'running';
}

function hasFailed(provision: string | undefined): boolean {
  return provision !== undefined && readProvisionRecord(provision)?.outcome === 'failed';
}
