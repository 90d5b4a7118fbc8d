/**
 * They decide who one is after a login, which programs are found and which code these load: a login's own, and never to
 * be brought along from elsewhere.
 */
const RESERVED = new Set(
  [
    'PATH HOME SHELL USER LOGNAME MAIL PWD OLDPWD TERM IFS CDPATH ENV BASH_ENV BASHOPTS SHELLOPTS GLOBIGNORE FPATH ZDOTDIR',
    'PROMPT_COMMAND PS4 GCONV_PATH LOCPATH NLSPATH GLIBC_TUNABLES HOSTALIASES RES_OPTIONS LOCALDOMAIN NODE_OPTIONS',
    'PERL5LIB PERL5OPT PYTHONHOME PYTHONPATH PYTHONSTARTUP RUBYLIB RUBYOPT JAVA_TOOL_OPTIONS XDG_RUNTIME_DIR',
    'DBUS_SESSION_BUS_ADDRESS UID EUID PPID',
  ].flatMap((names) => names.split(' ')),
);
const RESERVED_PREFIX = /^(LD_|DYLD_|SSH_|SUDO_|PIXELS_)/;

/** Whether this can be the name of an environment variable that every shell takes. */
export function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/** Whether a variable of this name is refused where values are forwarded into a login: `PATH`, `LD_PRELOAD`. */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name) || RESERVED_PREFIX.test(name);
}
