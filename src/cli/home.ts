/**
 * Where the user's own settings live: the identity key above all.
 * @module
 */
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Folder of the user's settings; it need not exist yet.
 *
 * `WEFT_HOME` decides where it is set. Else `%APPDATA%\weft` on Windows, and elsewhere `weft` in
 * `$XDG_CONFIG_HOME`, or `~/.config` where that is unset.
 *
 * @param env - Environment variables.
 * @param platform - As `process.platform`.
 * @see XDG Base Directory Specification 0.8: relative paths in `XDG_CONFIG_HOME` are to be ignored.
 */
export function configHome(env: NodeJS.ProcessEnv = process.env, platform: string = process.platform): string {
  const { WEFT_HOME, APPDATA, XDG_CONFIG_HOME } = env
  if (WEFT_HOME) return WEFT_HOME
  if (platform === 'win32') return join(APPDATA || join(homedir(), 'AppData', 'Roaming'), 'weft')
  return join(XDG_CONFIG_HOME?.startsWith('/') ? XDG_CONFIG_HOME : join(homedir(), '.config'), 'weft')
}
