import { useMemo, type ReactElement } from 'react'
import { encode } from 'uqr'
import { bindStyles } from '../../ui/styles.ts'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** An address for the camera of another device: dark on light in both themes, as readers expect. */
export function QrCode({ text }: { text: string }): ReactElement {
  const { size, data } = useMemo(() => encode(text, { ecc: 'M', border: 3 }), [text])
  const path = data
    .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join('')
  return (
    <svg
      className={css('qr')}
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={`QR code of ${text}`}
      shapeRendering="crispEdges"
    >
      <path d={path} />
    </svg>
  )
}
