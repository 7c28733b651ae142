import { BaseCommand } from '../cli/command.js'
import { formatIdentity } from '../cli/format-identity.js'

/** `weft key`: the identity that signs. */
export default class Key extends BaseCommand {
  static override summary = 'Show your identity key, making it on first use'
  static override description =
    'Shows the public half and its fingerprint. The secret half stays in your own configuration directory (WEFT_HOME overrides it), readable by you alone.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    await this.parse(Key)
    const { openIdentity } = await import('../repo/identity.js')
    const { publicKey, fingerprint, path, created } = await openIdentity(this.home)
    await this.answer({ publicKey, fingerprint, path, created }, formatIdentity)
  }
}
