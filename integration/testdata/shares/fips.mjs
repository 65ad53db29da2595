// Opens an escrow sealed with AES-256-GCM: node fips.mjs FILE.escrow, with the
// key in hexadecimal on standard input. Needs nothing but Node.
import { createDecipheriv, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'

const { ciphertext, ciphertext_sha256, ...header } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const key = Buffer.from(readFileSync(0, 'utf8').trim(), 'hex')
const info = Buffer.concat([Buffer.from('keymat/escrow/v1'), Buffer.from(header.id, 'hex')])
const sealed = Buffer.from(ciphertext, 'base64')

const gcm = createDecipheriv('aes-256-gcm', Buffer.from(hkdfSync('sha256', key, '', info, 32)), sealed.subarray(0, 12))
gcm.setAAD(Buffer.from(JSON.stringify(header)))
gcm.setAuthTag(sealed.subarray(-16))
const opened = Buffer.concat([gcm.update(sealed.subarray(12, -16)), gcm.final()])
process.stdout.write(Buffer.from(JSON.parse(opened).material, 'base64'))
