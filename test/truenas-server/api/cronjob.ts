import { CallError, invalid, notFound } from '../rpc/errors';
import { commandLine, type CronEntry } from '../host/cron';
import { method, type MethodTable } from '../rpc/method';
import type { QueryOptions } from '../rpc/queryFilters';
import type { Nas } from '../nas';

type Fields = Omit<CronEntry, 'id'>;

/** MW:plugins/cron.py. Only root is a user whose commands can be run here. */
export function cronMethods(nas: Nas): MethodTable {
  const { cron, middleware } = nas;
  const [reading, writing] = [{ roles: ['SYSTEM_CRON_READ', 'SYSTEM_CRON_WRITE'] }, { roles: ['SYSTEM_CRON_WRITE'] }];

  function get(id: number): CronEntry {
    const found = cron.get(id);
    if (!found) throw notFound(`Cronjob ${id}`);
    return found;
  }

  return {
    'cronjob.query': method<[unknown[], QueryOptions]>(reading, ([filters, options]) =>
      middleware.query('cronjob.query', cron.all() as unknown as Record<string, unknown>[], filters, options),
    ),
    'cronjob.get_instance': method<[number]>(reading, ([id]) => get(id)),
    'cronjob.create': method<[Fields]>(writing, ([fields]) => {
      validate('cron_job_create', fields);
      return cron.add(fields);
    }),
    'cronjob.update': method<[number, Partial<Fields>]>(writing, ([id, changes]) => {
      const changed = { ...get(id), ...changes };
      validate('cron_job_update', changed);
      cron.replace(changed);
      return changed;
    }),
    'cronjob.delete': method<[number]>(writing, ([id]) => {
      get(id);
      cron.delete(id);
      return true;
    }),
    'cronjob.run': method<[number, boolean]>(
      { ...writing, job: { hasLogs: true, lock: ([id]) => `cronjob ${id}` } },
      async ([id, skipDisabled], _, job) => {
        const entry = get(id);
        if (skipDisabled && !entry.enabled) return null;
        const command = commandLine(entry);
        job.setProgress(10, 'Executing Cron Task');
        let output = '';
        const exitCode = await cron.run(command, (text) => {
          output += text;
          job.writeLog(text);
        });
        middleware.step(job);
        job.setProgress(85, 'Executed Cron Task');
        if (output !== '') {
          job.setProgress(95, 'Email for root user not configured. Skipping sending mail.');
          job.writeLog(`Executed CronTask - ${command}: ${output}`);
        }
        if (exitCode !== 0)
          throw new CallError(`CronTask "${command}" exited with ${exitCode} (non-zero) exit status.`);
        job.setProgress(100, 'Execution of Cron Task complete.');
        return null;
      },
    ),
  };
}

function validate(schema: string, { user, command }: Fields): void {
  if (user.includes(' ')) throw invalid(`${schema}.user`, 'Usernames cannot have spaces');
  if (user !== 'root') throw invalid(`${schema}.user`, 'Specified user does not exist');
  if (command === '') throw invalid(`${schema}.command`, 'Please specify a command for cronjob task.');
}
