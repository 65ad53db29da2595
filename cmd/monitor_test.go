// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/importer"
)

// watchedKeys are named as users do, and as nobody should.
func watchedKeys() []watched {
	return []watched{
		{Key: importer.Key{ID: "1234abcd-12ab", ARN: "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab"}, name: "alias/app"},
		{Key: importer.Key{ID: "mrk-5678", ARN: "arn:aws:kms:eu-central-1:111122223333:key/mrk-5678"}, name: "alias/${x}"},
	}
}

func TestCloudFormation(t *testing.T) {
	text, err := cloudFormation(watchedKeys(), 14*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				Namespace, MetricName string
				Threshold             int
				Dimensions            []struct{ Name, Value string }
				EventPattern          map[string][]string
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &template); err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(template.Resources))
	if got, want := strings.Join(names, " "), "Alarm1234abcd12ab Alarmmrk5678 Rule1234abcd12ab Rulemrk5678"; got != want {
		t.Errorf("resources %s, want %s", got, want)
	}
	alarm := template.Resources["Alarm1234abcd12ab"].Properties
	if alarm.Namespace != "AWS/KMS" || alarm.MetricName != "SecondsUntilKeyMaterialExpiration" || alarm.Threshold != 1209600 ||
		len(alarm.Dimensions) != 1 || alarm.Dimensions[0] != struct{ Name, Value string }{"KeyId", "1234abcd-12ab"} {
		t.Errorf("alarm %+v", alarm)
	}
	pattern := template.Resources["Rulemrk5678"].Properties.EventPattern
	if pattern["detail-type"][0] != "KMS Imported Key Material Expiration" || pattern["resources"][0] != watchedKeys()[1].ARN {
		t.Errorf("pattern %v", pattern)
	}
}

func TestTerraform(t *testing.T) {
	text, err := terraform(watchedKeys()[1:], time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if text != wantTerraform {
		t.Errorf("got:\n%s", text)
	}
}

// wantTerraform is laid out as terraform fmt -check wants it.
const wantTerraform = `variable "notification_topic_arn" {
  description = "SNS topic that is told when imported KMS key material expires"
  type        = string
}

resource "aws_cloudwatch_metric_alarm" "kms_mrk_5678" {
  alarm_name          = "kms-expiry-mrk-5678"
  alarm_description   = "Imported key material of alias/$${x} expires soon."
  namespace           = "AWS/KMS"
  metric_name         = "SecondsUntilKeyMaterialExpiration"
  dimensions          = { KeyId = "mrk-5678" }
  statistic           = "Minimum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = 3600
  treat_missing_data  = "ignore"
  alarm_actions       = [var.notification_topic_arn]
  ok_actions          = [var.notification_topic_arn]
}

resource "aws_cloudwatch_event_rule" "kms_mrk_5678" {
  name        = "kms-expired-mrk-5678"
  description = "Imported key material of alias/$${x} has expired."
  event_pattern = jsonencode({
    source        = ["aws.kms"]
    "detail-type" = ["KMS Imported Key Material Expiration"]
    resources     = ["arn:aws:kms:eu-central-1:111122223333:key/mrk-5678"]
  })
}

resource "aws_cloudwatch_event_target" "kms_mrk_5678" {
  rule = aws_cloudwatch_event_rule.kms_mrk_5678.name
  arn  = var.notification_topic_arn
}
`
