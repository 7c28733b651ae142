import { PagedCommand } from '../../cli/command.js'
import { formatSigners } from '../../cli/format-signers.js'

/** `weft key list`: who wrote here. */
export default class KeyList extends PagedCommand {
  static override summary = 'List the keys that wrote here'
  static override description =
    'Shows every key that signed something here, the last one first: its fingerprint, what it is called (weft key rename), whom its last version names as author, how many versions it signed, and what is thought of it: seen, trusted or revoked. A star marks your own. The author is what a version says of itself; only the fingerprint tells who it was.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    await this.parse(KeyList)
    await using repo = await this.openRepository()
    await this.answer(await repo.signers(), formatSigners)
  }
}
