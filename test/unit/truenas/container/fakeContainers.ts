/** A container as `container.query` of 26 gives it. */
export function container(id: number, name: string, more: object = {}): Record<string, unknown> {
  return {
    id,
    name,
    dataset: `tank/.truenas_containers/containers/${name}`,
    cpuset: null,
    shutdown_timeout: 90,
    initenv: {},
    status: { state: 'STOPPED', pid: null, domain_state: null },
    devices: [],
    ...more,
  };
}

/** The status of one that runs. */
export function runningAs(pid: number) {
  return { state: 'RUNNING', pid, domain_state: 'RUNNING' };
}
