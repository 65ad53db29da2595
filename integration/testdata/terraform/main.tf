# SPDX-License-Identifier: Apache-2.0

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.64" # the first with rotation_period_in_days
    }
  }
}

variable "endpoint" { type = string }
variable "account" { type = string }

variable "material" {
  description = "32 bytes in base64"
  type        = string
  sensitive   = true
}

# What the second apply changes.
variable "valid_to" { type = string }
variable "enabled" { type = bool }
variable "stage" { type = string }
variable "rotation_period" { type = number }

provider "aws" {
  region                      = "us-east-1"
  access_key                  = var.account
  secret_key                  = "protects-nothing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
    kms = var.endpoint
  }
}

provider "aws" {
  alias                       = "west"
  region                      = "us-west-2"
  access_key                  = var.account
  secret_key                  = "protects-nothing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
    kms = var.endpoint
  }
}

locals {
  root = "arn:aws:iam::${var.account}:root"
  tags = {
    Name  = "keymat"
    stage = var.stage
  }
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "all of ${var.stage}"
      Effect    = "Allow"
      Principal = { AWS = local.root }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_external_key" "primary" {
  description                        = "external, ${var.stage}"
  multi_region                       = true
  key_material_base64                = var.material
  valid_to                           = var.valid_to
  policy                             = local.policy
  bypass_policy_lockout_safety_check = true
  deletion_window_in_days            = 7
  tags                               = local.tags
}

resource "aws_kms_replica_external_key" "west" {
  provider                = aws.west
  description             = "replica, ${var.stage}"
  primary_key_arn         = aws_kms_external_key.primary.arn
  key_material_base64     = var.material
  valid_to                = var.valid_to
  deletion_window_in_days = 7
  tags                    = local.tags
}

resource "aws_kms_external_key" "switched" {
  description             = "switched, ${var.stage}"
  enabled                 = var.enabled
  key_material_base64     = var.material
  deletion_window_in_days = 7
}

resource "aws_kms_external_key" "empty" {
  description             = "material comes from elsewhere"
  deletion_window_in_days = 7
}

resource "aws_kms_key" "rotated" {
  description             = "rotated, ${var.stage}"
  enable_key_rotation     = true
  rotation_period_in_days = var.rotation_period
  policy                  = local.policy
  deletion_window_in_days = 7
  tags                    = local.tags
}

resource "aws_kms_key" "signing" {
  description              = "signs"
  customer_master_key_spec = "ECC_NIST_P256"
  key_usage                = "SIGN_VERIFY"
  is_enabled               = var.enabled
  deletion_window_in_days  = 7
}

resource "aws_kms_alias" "external" {
  name          = "alias/terraform/external"
  target_key_id = var.enabled ? aws_kms_external_key.primary.id : aws_kms_key.rotated.id
}

resource "aws_kms_grant" "app" {
  name              = "app"
  key_id            = aws_kms_key.rotated.key_id
  grantee_principal = local.root
  operations        = ["Encrypt", "Decrypt", "DescribeKey"]
  constraints {
    encryption_context_equals = {
      stage = var.stage
    }
  }
}

resource "aws_kms_ciphertext" "secret" {
  key_id    = aws_kms_key.rotated.key_id
  plaintext = "attack at dawn"
  context = {
    stage = var.stage
  }
}

data "aws_kms_alias" "external" {
  name       = aws_kms_alias.external.name
  depends_on = [aws_kms_alias.external] # its target, not its name, changes
}

data "aws_kms_key" "external" {
  key_id = data.aws_kms_alias.external.target_key_arn
}

data "aws_kms_public_key" "signing" {
  key_id = aws_kms_key.signing.arn
}

data "aws_kms_secrets" "secret" {
  secret {
    name    = "secret"
    payload = aws_kms_ciphertext.secret.ciphertext_blob
    context = {
      stage = var.stage
    }
  }
}

output "keys" {
  value = {
    "us-east-1" = [
      aws_kms_external_key.primary.arn,
      aws_kms_external_key.switched.arn,
      aws_kms_external_key.empty.arn,
      aws_kms_key.rotated.arn,
      aws_kms_key.signing.arn,
    ]
    "us-west-2" = [aws_kms_replica_external_key.west.arn]
  }
}

output "states" {
  value = {
    primary  = "${aws_kms_external_key.primary.key_state} ${aws_kms_external_key.primary.expiration_model} ${aws_kms_external_key.primary.valid_to}"
    replica  = "${aws_kms_replica_external_key.west.key_state} ${aws_kms_replica_external_key.west.expiration_model} ${aws_kms_replica_external_key.west.valid_to}"
    switched = "${aws_kms_external_key.switched.key_state} ${aws_kms_external_key.switched.expiration_model}"
    empty    = aws_kms_external_key.empty.key_state
    aliased  = data.aws_kms_key.external.arn == aws_kms_external_key.primary.arn ? "external" : "rotated"
  }
}

output "secret" {
  value     = data.aws_kms_secrets.secret.plaintext["secret"]
  sensitive = true
}

output "public_key" {
  value = data.aws_kms_public_key.signing.public_key_pem
}
