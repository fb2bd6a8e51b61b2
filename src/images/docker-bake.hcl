# All images for both architectures: docker buildx bake -f src/images/docker-bake.hcl --push   (docs/images.md)
# The context is the top of the repository; the programs are compiled there, on the builder's own platform.
variable "PREFIX" { default = "berth-" }
variable "TAG" { default = "dev" }
variable "VERSION" { default = "0.0.0" }
variable "REVISION" { default = "unknown" }
variable "SOURCE" { default = "" }
# The time files bear and the image says; that of the commit makes the same image of the same commit.
variable "SOURCE_DATE_EPOCH" { default = "0" }

group "default" { targets = ["operator", "edge", "studio", "local", "postgres", "code-server", "jupyterlab"] }
# What an installation needs; the others are for trying out, or are made from other people's images.
group "release" { targets = ["operator", "edge", "studio"] }

target "common" {
  platforms = ["linux/amd64", "linux/arm64"]
  args = {
    VERSION           = VERSION
    REVISION          = REVISION
    SOURCE            = SOURCE
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
  }
  attest = ["type=provenance,mode=max", "type=sbom"]
  output = ["type=image,rewrite-timestamp=true"]
}

target "operator" {
  inherits   = ["common"]
  context    = "."
  dockerfile = "src/Berth.Operator/Dockerfile"
  tags       = ["${PREFIX}operator:${TAG}"]
}

target "edge" {
  inherits   = ["common"]
  context    = "."
  dockerfile = "src/Berth.Edge/Dockerfile"
  tags       = ["${PREFIX}edge:${TAG}"]
}

target "studio" {
  inherits   = ["common"]
  context    = "."
  dockerfile = "src/Berth.Studio/Dockerfile"
  tags       = ["${PREFIX}studio:${TAG}"]
}

target "local" {
  inherits   = ["common"]
  context    = "."
  dockerfile = "src/Berth.Local/Dockerfile"
  tags       = ["${PREFIX}local:${TAG}"]
}

target "postgres" {
  inherits = ["common"]
  context  = "src/images/postgres"
  tags     = ["${PREFIX}postgres:${TAG}"]
}

target "code-server" {
  inherits = ["common"]
  context  = "src/images/code-server"
  tags     = ["${PREFIX}code-server:${TAG}"]
}

target "jupyterlab" {
  inherits = ["common"]
  context  = "src/images/jupyterlab"
  tags     = ["${PREFIX}jupyterlab:${TAG}"]
}
