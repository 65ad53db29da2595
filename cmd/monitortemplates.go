// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"
	"time"
)

// What KMS tells CloudWatch and EventBridge of imported material (KMS guide,
// "monitoring with CloudWatch" and "with EventBridge"). The metric is there
// only for keys with an expiry, shows the earliest of several materials, and
// ends with the expiry: hence missing data leaves the alarm as it is.
const (
	expiryNamespace = "AWS/KMS"
	expiryMetric    = "SecondsUntilKeyMaterialExpiration"
	eventSource     = "aws.kms"
	expiryEvent     = "KMS Imported Key Material Expiration"
	expiryPeriod    = 3600 // seconds
)

// topicParameter is the parameter of the template for the topic's ARN.
const topicParameter = "NotificationTopicArn"

// object is a JSON object whose members nobody here takes apart again.
type object = map[string]any

// cloudFormation renders a template in JSON.
func cloudFormation(keys []watched, before time.Duration) (string, error) {
	resources := object{}
	for _, k := range keys {
		id := logicalID(k.ID)
		resources["Alarm"+id] = object{
			"Type": "AWS::CloudWatch::Alarm",
			"Properties": object{
				"AlarmDescription":   fmt.Sprintf("Imported key material of %s expires soon.", k.describe()),
				"Namespace":          expiryNamespace,
				"MetricName":         expiryMetric,
				"Dimensions":         []object{{"Name": "KeyId", "Value": k.ID}},
				"Statistic":          "Minimum",
				"Period":             expiryPeriod,
				"EvaluationPeriods":  1,
				"ComparisonOperator": "LessThanThreshold",
				"Threshold":          int(before.Seconds()),
				"TreatMissingData":   "ignore",
				"AlarmActions":       []object{{"Ref": topicParameter}},
				"OKActions":          []object{{"Ref": topicParameter}},
			},
		}
		resources["Rule"+id] = object{
			"Type": "AWS::Events::Rule",
			"Properties": object{
				"Description":  fmt.Sprintf("Imported key material of %s has expired.", k.describe()),
				"EventPattern": eventPattern(k),
				"Targets":      []object{{"Id": "notify", "Arn": object{"Ref": topicParameter}}},
			},
		}
	}
	var text bytes.Buffer
	err := writeJSON(&text, object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "Warnings before and when imported KMS key material expires",
		"Parameters": object{
			topicParameter: object{"Type": "String", "Description": "SNS topic that is told"},
		},
		"Resources": resources,
	})
	return text.String(), err
}

func eventPattern(k watched) object {
	return object{
		"source":      []string{eventSource},
		"detail-type": []string{expiryEvent},
		"resources":   []string{k.ARN},
	}
}

// logicalID makes of a key ID what CloudFormation takes in a name: letters and
// digits.
func logicalID(id string) string { return strings.ReplaceAll(id, "-", "") }

// terraformPage is laid out as terraform fmt does.
const terraformPage = `variable "notification_topic_arn" {
  description = "SNS topic that is told when imported KMS key material expires"
  type        = string
}
{{range .}}
resource "aws_cloudwatch_metric_alarm" {{quote .Name}} {
  alarm_name          = {{quote .AlarmName}}
  alarm_description   = {{quote .Soon}}
  namespace           = {{quote .Namespace}}
  metric_name         = {{quote .Metric}}
  dimensions          = { KeyId = {{quote .KeyID}} }
  statistic           = "Minimum"
  period              = {{.Period}}
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = {{.Seconds}}
  treat_missing_data  = "ignore"
  alarm_actions       = [var.notification_topic_arn]
  ok_actions          = [var.notification_topic_arn]
}

resource "aws_cloudwatch_event_rule" {{quote .Name}} {
  name        = {{quote .RuleName}}
  description = {{quote .Over}}
  event_pattern = jsonencode({
    source        = [{{quote .Source}}]
    "detail-type" = [{{quote .Event}}]
    resources     = [{{quote .KeyARN}}]
  })
}

resource "aws_cloudwatch_event_target" {{quote .Name}} {
  rule = aws_cloudwatch_event_rule.{{.Name}}.name
  arn  = var.notification_topic_arn
}
{{end}}`

type terraformKey struct {
	Name, KeyID, KeyARN, AlarmName, RuleName string
	Soon, Over                               string
	Namespace, Metric, Source, Event         string
	Period, Seconds                          int
}

// terraform renders resources of the AWS provider.
func terraform(keys []watched, before time.Duration) (string, error) {
	var all []terraformKey
	for _, k := range keys {
		all = append(all, terraformKey{
			Name:      "kms_" + strings.ReplaceAll(k.ID, "-", "_"),
			KeyID:     k.ID,
			KeyARN:    k.ARN,
			AlarmName: "kms-expiry-" + k.ID,
			RuleName:  "kms-expired-" + k.ID,
			Soon:      fmt.Sprintf("Imported key material of %s expires soon.", k.describe()),
			Over:      fmt.Sprintf("Imported key material of %s has expired.", k.describe()),
			Namespace: expiryNamespace,
			Metric:    expiryMetric,
			Source:    eventSource,
			Event:     expiryEvent,
			Period:    expiryPeriod,
			Seconds:   int(before.Seconds()),
		})
	}
	page, err := template.New("terraform").Funcs(template.FuncMap{"quote": quoteHCL}).Parse(terraformPage)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	err = page.Execute(&text, all)
	return text.String(), err
}

// quoteHCL makes a string literal of Terraform's language, in which ${ and %{
// begin an expression.
func quoteHCL(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "${", "$${", "%{", "%%{").Replace(s) + `"`
}
