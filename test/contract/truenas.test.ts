import { onServer, trueNas } from '../support/servers';
import { describeSandboxHost } from './sandboxHost.contract';

describeSandboxHost('TrueNAS 25.10', () => onServer('pixels-nas-25105', trueNas('25.10.5')));
describeSandboxHost('TrueNAS 25.04', () => onServer('pixels-nas-25042', trueNas('25.04.2')));
