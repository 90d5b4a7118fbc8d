import { incus, onServer } from '../support/servers';
import { describeSandboxHost } from './sandboxHost.contract';

describeSandboxHost('Incus over its unix socket', () => onServer('pixels-contract', incus));
