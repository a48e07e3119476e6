module tailnet

go 1.26.6

require (
	github.com/juanfont/headscale v0.29.3
	tailscale.com v1.102.5
)
