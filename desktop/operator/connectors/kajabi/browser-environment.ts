import type { Environment } from '#ops/base/env'

/** What a browser needs of the session, in any case of letters: nothing of HQ, and no token. */
const passed = new RegExp(
  `^(?:${[
    'PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\\w+|TZ',
    'DISPLAY|XAUTHORITY|WAYLAND_DISPLAY|XDG_\\w+|DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION',
    '(?:GTK|QT)_IM_MODULE|XMODIFIERS',
    '(?:https?|no|all)_proxy',
    'PLAYWRIGHT_(?:BROWSERS_PATH|DOWNLOAD_HOST)',
    'SystemRoot|SystemDrive|windir|ComSpec|PATHEXT|TEMP|TMP|TMPDIR',
    'USERNAME|USERPROFILE|USERDOMAIN|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES(?:\\(X86\\))?',
    'PROCESSOR_ARCHITECTURE|NUMBER_OF_PROCESSORS',
  ].join('|')})$`,
  'i',
)

/** @param folder for what the browser writes beside its profile; on Linux only: a path of a socket is short */
export const browserEnvironment = (env: Environment, folder: string): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && passed.test(name) ? [[name, value] as const] : [],
    ),
  ),
  ...(process.platform === 'linux' ? { TMPDIR: folder } : {}),
})
